import { mountVariables, prepareMount } from "../mounts/index.ts";
import { liveMountVariables } from "../mounts/live-mounts.ts";
import {
  BuildInterrupted,
  ensureTemplate,
  noteVerified,
  type Template,
} from "../templates/index.ts";
import { writeBootSnapshot } from "./boot-log.ts";
import type { BootOptions } from "./boot-options.ts";
import { type BootTask, claimFor, handOut, planTask, recordOf } from "./boot-task.ts";
import { chooseTemplate } from "./choose-template.ts";
import { templateVariables } from "./from-template.ts";
import { sweepOrphansSometimes } from "./gc.ts";
import { detachedHandle, ownHandle } from "./handle.ts";
import { packGuest } from "./pack-guest.ts";
import { networkVariables, waitForForwards } from "./port-forward.ts";
import { bootPrepared } from "./prepared-boot.ts";
import {
  interrupted,
  mustBeTaken,
  READY_MARKER,
  resumeOutcome,
  waitForConsole,
} from "./readiness.ts";
import { createRunDir, type RunDir, removeRunDir } from "./run-dir.ts";
import { type StartedMachine, startMachine } from "./start-machine.ts";
import type { Machine } from "./vm-handle.ts";
import { isOurVmm } from "./vmm-binary.ts";
import type { MachineVariables } from "./vmm-environment.ts";

async function start(
  boot: BootTask,
  variablesFor: (runDir: RunDir) => MachineVariables | Promise<MachineVariables>,
  templateKey?: string,
): Promise<StartedMachine> {
  const { plan, opts, detached, claim } = boot;
  let runDir: RunDir | undefined;
  try {
    runDir = createRunDir();
    const variables = {
      ...(await variablesFor(runDir)),
      MACHINEN_SCRATCH_DISK: plan.diskPath,
      ...mountVariables(boot.mountDisk, templateKey !== undefined),
      ...networkVariables(opts),
      ...liveMountVariables(boot.liveMounts),
    };
    boot.phases.mark("pack");
    const started = await startMachine({
      binary: plan.binary,
      args: opts.args,
      cwd: plan.cwd,
      runDir,
      variables,
      vmmEnv: opts.vmmEnv,
      detached,
      pdeathsig: !detached && (opts.pdeathsig ?? true),
      name: claim && { claim, name: opts.name! },
      record: recordOf(boot, templateKey),
      keepsBootLog: detached,
      onLog: opts.onLog,
    });
    boot.phases.mark("spawn");
    // A program of the caller's need not know our control socket.
    if (opts.binary === undefined) await waitForForwards(started, opts);
    return started;
  } catch (error) {
    if (runDir) removeRunDir(runDir.path);
    throw error;
  }
}

async function bootCold(boot: BootTask): Promise<Machine> {
  const { plan, opts, config, memoryMib } = boot;
  const { guest } = plan;
  const packs = guest !== undefined && opts.vmmEnv?.MACHINEN_INITRD === undefined;
  const started = await start(boot, async (runDir) => ({
    MACHINEN_KERNEL: plan.kernel,
    MACHINEN_DTB: plan.dtb,
    MACHINEN_MEMORY: memoryMib?.toString(),
    ...(packs ? await packGuest(guest, config!, runDir) : {}),
  }));
  if (isOurVmm(plan.binary)) await mustBeTaken(started);
  if (!boot.detached) return ownHandle(started, opts.timeoutMs, opts.onLog);
  // A program of the caller's need not know our guest's words.
  const speaksOurs = opts.binary === undefined && packs;
  await waitForConsole(started, speaksOurs ? READY_MARKER : undefined);
  boot.phases.mark("console");
  writeBootSnapshot(started.entry.bootLogPath!, started.stderr.tail.text());
  return detachedHandle(started, opts.onLog);
}

/** A machine, or why its VMM could not start from the template. */
async function bootFrom(
  boot: BootTask,
  template: Template,
): Promise<Machine | "damaged" | "refused"> {
  const started = await start(
    boot,
    (runDir) => templateVariables(template, boot.config!, runDir),
    template.key,
  );
  const outcome = await resumeOutcome(started, boot.detached);
  boot.phases.mark("resume");
  if (outcome !== "ready") return outcome;
  noteVerified(template);
  return handOut(boot, started, template.key);
}

/** Undefined when there is no template to be had: the boot is then a cold one, and that says what is wrong. */
async function bootWarm(boot: BootTask): Promise<Machine | undefined> {
  const request = chooseTemplate(boot.plan, boot.opts, boot.memoryMib, boot.mountDisk);
  let damaged: Template | undefined;
  for (let attempt = 0; request && attempt < 2; attempt++) {
    let template: Template;
    try {
      template = await ensureTemplate(request, damaged);
    } catch (error) {
      if (error instanceof BuildInterrupted) throw interrupted(error.message);
      return undefined;
    }
    boot.phases.mark("template");
    const booted = (await bootPrepared(boot, template.key)) ?? (await bootFrom(boot, template));
    if (typeof booted !== "string") return booted;
    // The name went with the VMM that has ended.
    boot.claim = claimFor(boot.opts);
    if (booted === "refused") return undefined;
    damaged = template;
  }
  return undefined;
}

/**
 * Boot a machine: from a template where it can (see `BootOptions.template`), else from nothing.
 *
 * @throws {BootError} BOOT_VMM_MISSING | BOOT_VMM_PACKAGE_BROKEN | BOOT_IMAGE_NOT_FOUND |
 * BOOT_SNAPSHOT_NOT_FOUND | BOOT_SNAPSHOT_INVALID | BOOT_SNAPSHOT_IN_USE | BOOT_KERNEL_NOT_FOUND | BOOT_DTB_NOT_FOUND | BOOT_CMD_WITHOUT_IMAGE |
 * BOOT_CMD_MISSING | BOOT_CWD_INVALID | BOOT_MOUNT_INVALID | BOOT_MOUNT_HOST_NOT_FOUND |
 * BOOT_MOUNTDISK_TOOL_MISSING |
 * BOOT_PORT_FORWARD_INVALID | BOOT_PORT_FORWARD_CONFLICT | BOOT_PORT_FORWARD_NO_GVPROXY |
 * BOOT_PORT_FORWARD_IN_USE | BOOT_MEMORY_INVALID | BOOT_CPUS_INVALID |
 * BOOT_PACK_FAILED | BOOT_DETACHED_READINESS_FAILED
 * @throws {RegistryError} REGISTRY_NAME_IN_USE
 */
export async function boot(options: BootOptions = {}): Promise<Machine> {
  const task = planTask(options);
  task.claim = claimFor(task.opts);
  try {
    sweepOrphansSometimes();
    if (task.plan.mount) {
      task.mountDisk = await prepareMount(task.plan.mount);
      task.phases.mark("mount");
    }
    return (await bootWarm(task)) ?? (await bootCold(task));
  } finally {
    task.claim?.release();
    task.phases.flush();
  }
}

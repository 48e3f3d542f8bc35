import { BootError, isMachinenError } from "../errors.ts";
import {
  ensureRootfsImageAsync,
  markRootfsImageClean,
  packBootInitramfs,
} from "../images/index.ts";
import { PhaseTimer } from "../log.ts";
import { autoSizeMemoryMib } from "../memory/index.ts";
import { claimName } from "../registry/index.ts";
import { writeBootSnapshot } from "./boot-log.ts";
import type { BootOptions } from "./boot-options.ts";
import { sweepOrphans } from "./gc.ts";
import { detachedHandle, ownHandle } from "./handle.ts";
import { hostnameFor } from "./hostname.ts";
import { buildMachinenConfig } from "./machinen-config.ts";
import { type BootPlan, planBoot } from "./plan-boot.ts";
import { READY_MARKER, waitForConsole } from "./readiness.ts";
import { createRunDir, type RunDir, removeRunDir } from "./run-dir.ts";
import { startMachine } from "./start-machine.ts";
import type { VmHandle } from "./vm-handle.ts";
import type { MachineVariables } from "./vmm-environment.ts";

async function rootDiskVariables(plan: BootPlan, opts: BootOptions): Promise<MachineVariables> {
  const { rootDisk, image } = plan.guest ?? {};
  if (!rootDisk || image === undefined) return {};
  if (rootDisk.kind === "file") return { MACHINEN_ROOTDISK: rootDisk.path };
  const disk = await ensureRootfsImageAsync(image);
  // The VMM gives the guest an overlay: nobody writes to the cached image, so it stays good whatever happens.
  markRootfsImageClean(disk);
  return { MACHINEN_ROOTDISK: disk, MACHINEN_ROOTDISK_SIZE: opts.rootDiskSizeBytes?.toString() };
}

/** Make what the guest boots from. */
async function packGuest(
  plan: BootPlan,
  opts: BootOptions,
  runDir: RunDir,
): Promise<MachineVariables> {
  const { guest } = plan;
  if (!guest || opts.vmmEnv?.MACHINEN_INITRD !== undefined) return {};
  const disk = await rootDiskVariables(plan, opts);
  const config = buildMachinenConfig({
    ...guest,
    guestCwd: opts.guestCwd,
    liveMounts: [],
    hostname: hostnameFor(opts.name),
    rootdisk: guest.rootDisk !== undefined,
  });
  try {
    packBootInitramfs({
      image: guest.rootDisk ? undefined : guest.image,
      config,
      out: runDir.initramfs,
    });
  } catch (error) {
    if (isMachinenError(error)) throw error;
    throw new BootError(
      "BOOT_PACK_FAILED",
      `the initramfs could not be packed: ${(error as Error).message}`,
      { cause: error },
    );
  }
  return { ...disk, MACHINEN_INITRD: runDir.initramfs };
}

/**
 * Boot a machine.
 *
 * @throws {BootError} BOOT_VMM_MISSING | BOOT_VMM_PACKAGE_BROKEN | BOOT_IMAGE_NOT_FOUND |
 * BOOT_SNAPSHOT_NOT_FOUND | BOOT_KERNEL_NOT_FOUND | BOOT_DTB_NOT_FOUND | BOOT_CMD_WITHOUT_IMAGE |
 * BOOT_CMD_MISSING | BOOT_CWD_INVALID | BOOT_MOUNT_INVALID | BOOT_MOUNT_HOST_NOT_FOUND |
 * BOOT_PORT_FORWARD_INVALID | BOOT_PORT_FORWARD_CONFLICT | BOOT_PORT_FORWARD_NO_GVPROXY |
 * BOOT_MEMORY_INVALID | BOOT_PACK_FAILED | BOOT_DETACHED_READINESS_FAILED
 * @throws {RegistryError} REGISTRY_NAME_IN_USE
 */
export async function boot(opts: BootOptions = {}): Promise<VmHandle> {
  const phases = new PhaseTimer("boot", opts.onLog);
  const plan = planBoot(opts);
  phases.mark("plan");
  const detached = opts.detached ?? false;
  const ownsMemory = opts.vmmEnv?.MACHINEN_MEMORY === undefined;
  const memoryMib = ownsMemory ? (opts.memory ?? autoSizeMemoryMib()) : undefined;
  const claim = opts.name === undefined ? undefined : claimName(opts.name);
  let runDir: RunDir | undefined;
  try {
    sweepOrphans();
    runDir = createRunDir();
    const packed = await packGuest(plan, opts, runDir);
    phases.mark("pack");
    const started = await startMachine({
      binary: plan.binary,
      args: opts.args,
      cwd: plan.cwd,
      runDir,
      variables: {
        MACHINEN_KERNEL: plan.kernel,
        MACHINEN_DTB: plan.dtb,
        MACHINEN_MEMORY: memoryMib?.toString(),
        ...packed,
      },
      vmmEnv: opts.vmmEnv,
      detached,
      pdeathsig: !detached && (opts.pdeathsig ?? true),
      name: claim && { claim, name: opts.name! },
      record: {
        imagePath: plan.guest?.image,
        diskPath: plan.diskPath,
        snapshotDisabled: opts.snapshot === false || undefined,
        hostname: hostnameFor(opts.name),
        forkedFrom: opts.forkedFrom,
        memoryCeilingMib: memoryMib,
      },
      keepsBootLog: detached,
      onLog: opts.onLog,
    });
    phases.mark("spawn");
    if (!detached) return ownHandle(started, opts.timeoutMs, opts.onLog);
    // A program of the caller's need not know our guest's words.
    const speaksOurs = opts.binary === undefined && packed.MACHINEN_INITRD !== undefined;
    await waitForConsole(started, speaksOurs ? READY_MARKER : undefined);
    phases.mark("console");
    writeBootSnapshot(started.entry.bootLogPath!, started.stderr.tail.text());
    return detachedHandle(started, opts.onLog);
  } catch (error) {
    if (runDir) removeRunDir(runDir.path);
    throw error;
  } finally {
    claim?.release();
    phases.flush();
  }
}

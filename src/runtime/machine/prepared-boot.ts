import { randomBytes } from "node:crypto";
import { agentRequest } from "../control/agent-control.ts";
import { waitForMachine } from "../control/vmm-control.ts";
import { ensureTemplate, warmUp } from "../templates/index.ts";
import type { BootOptions } from "./boot-options.ts";
import { type BootTask, claimFor, handOut, planTask, recordOf } from "./boot-task.ts";
import { chooseTemplate } from "./choose-template.ts";
import { killMachine } from "./end-machine.ts";
import { templateVariables } from "./from-template.ts";
import { HeldPool } from "./held-pool.ts";
import { type HeldVmm, holdVmm } from "./held-vmm.ts";
import { registerMachine, type StartedMachine } from "./start-machine.ts";
import type { Machine } from "./vm-handle.ts";

const MAX_PREPARED = 2;
const UP_MS = 60_000;
const RESUME_MS = 30_000;
const ENTROPY_BYTES = 64;

/** Machines that run, nobody yet, by what they must have in common with the boot that takes one. */
const pool = new HeldPool<string, HeldVmm>(MAX_PREPARED);

/** What a machine has from its start and cannot be told later. */
function poolKey({ opts, plan }: BootTask, templateKey: string): string {
  return JSON.stringify([templateKey, plan.binary, opts.vmmEnv, process.env.MACHINEN_NETWORK]);
}

/** Whether everything of this boot can be told to a machine that runs. */
function canBeTold({ opts, plan, liveMounts }: BootTask): boolean {
  return (
    plan.mount === undefined &&
    liveMounts.length === 0 &&
    opts.network === undefined &&
    (opts.portForward ?? []).length === 0
  );
}

/** Up to where it waits for its configuration, and through what every guest's first command costs. */
async function start(task: BootTask, template: Parameters<typeof templateVariables>[0]) {
  const held = await holdVmm(
    task.plan.binary,
    (runDir) => templateVariables(template, undefined, runDir),
    task.opts.vmmEnv,
  );
  const gone = () => held.child.exitCode !== null || held.child.signalCode !== null;
  try {
    held.child.stdout!.pause();
    await waitForMachine(held.runDir.controlSocket, UP_MS, gone);
    await warmUp(held.runDir);
  } catch (error) {
    await held.end();
    throw error;
  }
  held.rest();
  return held;
}

/**
 * Have the next boot with these options ready: a machine that runs already, from the template of its image, kernel
 * and shape, and is told who it is when `boot()` takes it. Name, host name, command, environment and directory may
 * differ then. This process holds at most two such machines, for different templates; they end with it, or when
 * others come. Each costs about 45 MB of the host's memory and serves one boot.
 *
 * Resolves to true when it is ready, and to false, with nothing started, when such a boot cannot be prepared: with
 * `mount`, `liveMounts`, `portForward`, `network`, `template: false` and all that takes the machine out of our hands.
 *
 * @throws {BootError} BOOT_VMM_MISSING | BOOT_IMAGE_NOT_FOUND | BOOT_KERNEL_NOT_FOUND | BOOT_CMD_MISSING |
 * BOOT_CWD_INVALID | BOOT_MEMORY_INVALID | BOOT_CPUS_INVALID
 */
export async function prepareBoot(options: BootOptions = {}): Promise<boolean> {
  const task = planTask(options);
  const request = chooseTemplate(task.plan, task.opts, task.memoryMib);
  if (request === undefined || !canBeTold(task)) return false;
  const template = await ensureTemplate(request);
  const key = poolKey(task, template.key);
  await (pool.find((one) => one === key) ?? pool.add(key, start(task, template)));
  return true;
}

function register(task: BootTask, held: HeldVmm, templateKey: string): StartedMachine {
  const { opts, claim, detached } = task;
  return registerMachine(held.child, held.env, {
    binary: held.binary,
    runDir: held.runDir,
    name: claim && { claim, name: opts.name! },
    keepsBootLog: detached,
    keepsLeash: !detached && (opts.pdeathsig ?? true),
    record: recordOf(task, templateKey),
    onLog: opts.onLog,
  });
}

/** What only the VMM of a machine that resumes would add. */
function resumeRequest({ config }: BootTask): string {
  const now = Date.now();
  const words = JSON.stringify({
    time: [Math.floor(now / 1000), (now % 1000) * 1_000_000],
    entropy: randomBytes(ENTROPY_BYTES).toString("hex"),
    hostname: config!.hostname,
    config,
  });
  return `RESUME ${Buffer.byteLength(words)}\n${words}`;
}

/** The boot by a machine that waits for it; undefined when there is none, or it was lost. */
export async function bootPrepared(
  task: BootTask,
  templateKey: string,
): Promise<Machine | undefined> {
  if (!canBeTold(task)) return undefined;
  const key = poolKey(task, templateKey);
  const held = await pool.take((one) => one === key);
  if (held === undefined) return undefined;
  held.use();
  const started = register(task, held, templateKey);
  try {
    await agentRequest(held.runDir.agentSocket, resumeRequest(task), RESUME_MS);
  } catch {
    await killMachine(started.entry);
    // The name went with it.
    task.claim = claimFor(task.opts);
    return undefined;
  }
  task.phases.mark("resume");
  return handOut(task, started, templateKey);
}

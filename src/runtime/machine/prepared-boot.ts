import { randomBytes } from "node:crypto";
import { AgentRefusal, agentRequest } from "../control/agent-control.ts";
import { RequestError } from "../control/line-client.ts";
import { waitForMachine } from "../control/vmm-control.ts";
import { BootError } from "../errors.ts";
import {
  type BuildRequest,
  ensureTemplate,
  noteVerified,
  type Template,
  warmUp,
} from "../templates/index.ts";
import type { BootOptions } from "./boot-options.ts";
import { type BootTask, handOut, planTask, recordOf } from "./boot-task.ts";
import { chooseTemplate } from "./choose-template.ts";
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
    plan.diskPath === undefined &&
    liveMounts.length === 0 &&
    opts.network === undefined &&
    (opts.portForward ?? []).length === 0
  );
}

/** Up to where it waits for its configuration, and through what every guest's first command costs. */
async function start(task: BootTask, template: Template): Promise<HeldVmm> {
  const held = await holdVmm(
    task.plan.binary,
    (runDir) => templateVariables(template, undefined, runDir),
    task.opts.vmmEnv,
  );
  try {
    held.child.stdout!.pause();
    await waitForMachine(held.runDir.controlSocket, UP_MS, held.hasExited);
    noteVerified(template);
    await warmUp(held.runDir);
    if (held.hasExited()) throw await held.ended;
  } catch (error) {
    await held.end();
    throw error;
  }
  held.rest();
  return held;
}

/** Whether it waits now, or waited and was used. A template that cannot be loaded is made anew, once. */
async function prepare(task: BootTask, request: BuildRequest): Promise<boolean> {
  let damaged: Template | undefined;
  for (let attempt = 0; attempt < 2; attempt++) {
    // What is wrong, the boot itself will say, or do without a template.
    const template = await ensureTemplate(request, damaged).catch(() => undefined);
    if (template === undefined) return false;
    const key = poolKey(task, template.key);
    const starting = pool.find((one) => one === key) ?? pool.add(key, start(task, template));
    if (await starting.catch(() => undefined)) return true;
    damaged = template;
  }
  return false;
}

/**
 * Have the next boot with these options ready: a machine that runs already, from the template of its image, kernel
 * and shape, and is told who it is when `boot()` takes it. Name, host name, command, environment and directory may
 * differ then. This process holds at most two such machines, for different templates; they end with it, or when
 * others come. Each costs about 45 MB of the host's memory and serves one boot.
 *
 * Resolves to true when it is ready, and to false when such a boot cannot be prepared: with a `snapshot` path, `mount`, `liveMounts`,
 * `portForward`, `network`, `template: false` and all that takes the machine out of our hands, or when it does not
 * come up.
 *
 * @throws {BootError} BOOT_VMM_MISSING | BOOT_IMAGE_NOT_FOUND | BOOT_KERNEL_NOT_FOUND | BOOT_CMD_MISSING |
 * BOOT_CWD_INVALID | BOOT_MEMORY_INVALID | BOOT_CPUS_INVALID
 */
export async function prepareBoot(options: BootOptions = {}): Promise<boolean> {
  const task = planTask(options);
  const request = chooseTemplate(task.plan, task.opts, task.memoryMib);
  if (request === undefined || !canBeTold(task)) return false;
  return prepare(task, request);
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

/** Whether the command may have begun: then it must not be begun again. */
function mayHaveBegun({ plan }: BootTask, error: unknown): boolean {
  const wasNotTold = error instanceof RequestError && error.reason === "refused";
  return (plan.guest?.cmd ?? []).length > 0 && !wasNotTold && !(error instanceof AgentRefusal);
}

/**
 * The boot by a machine that waits for it; undefined when there is none, or it was lost. Nobody can find the machine
 * before it knows who it is.
 *
 * @throws {BootError} BOOT_DETACHED_READINESS_FAILED when it was told of its command and did not answer
 */
export async function bootPrepared(
  task: BootTask,
  templateKey: string,
): Promise<Machine | undefined> {
  if (!canBeTold(task)) return undefined;
  const key = poolKey(task, templateKey);
  const held = pool.takeStarted((one) => one === key);
  if (held === undefined) return undefined;
  try {
    await agentRequest(held.runDir.agentSocket, resumeRequest(task), RESUME_MS);
  } catch (error) {
    await held.end();
    if (!mayHaveBegun(task, error)) return undefined;
    throw new BootError(
      "BOOT_DETACHED_READINESS_FAILED",
      `the prepared machine did not become this one: ${(error as Error).message}; boot again`,
      { cause: error },
    );
  }
  held.use();
  const started = register(task, held, templateKey);
  task.phases.mark("resume");
  return handOut(task, started, templateKey);
}

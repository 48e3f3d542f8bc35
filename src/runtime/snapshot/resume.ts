import type { MachinenError } from "../errors.ts";
import { type OnLog, PhaseTimer } from "../log.ts";
import type { Mount } from "../machine/boot-options.ts";
import { killMachine } from "../machine/end-machine.ts";
import { writeResume } from "../machine/from-template.ts";
import { sweepOrphansSometimes } from "../machine/gc.ts";
import { detachedHandle, ownHandle } from "../machine/handle.ts";
import { hostnameFor } from "../machine/hostname.ts";
import {
  forwardRecord,
  type NetworkOptions,
  networkVariables,
  waitForForwards,
} from "../machine/port-forward.ts";
import { waitForStartedAgent } from "../machine/readiness.ts";
import { createRunDir, removeRunDir } from "../machine/run-dir.ts";
import { type StartedMachine, startMachine } from "../machine/start-machine.ts";
import type { Machine } from "../machine/vm-handle.ts";
import type { MachineVariables } from "../machine/vmm-environment.ts";
import {
  guestLiveMounts,
  liveMountRecord,
  liveMountVariables,
  type SharedDirectory,
} from "../mounts/live-mounts.ts";
import { claimName, nameBelow, type RegistryEntry, updateEntry } from "../registry/index.ts";
import { copyMountIn } from "./late-mount.ts";
import { noteLazyMemory } from "./lazy-memory.ts";
import { type MemoryPlan, settleMemory } from "./memory-limit.ts";

/** How a resumed machine is called, kept and reported, whatever it comes from. */
export interface ResumeTerms {
  name?: string;
  sourceName?: string;
  record: Partial<RegistryEntry>;
  detached: boolean;
  timeoutMs?: number | null;
  /** Of the commands it is to start. */
  env?: Record<string, string>;
  guestCwd?: string;
  /** All of the machine's, those of its source included. */
  liveMounts: SharedDirectory[];
  /** Given to it once it runs, besides what it has from its source. */
  mount?: Mount;
  memory: MemoryPlan;
  /** The saved machine whose memory it maps, where it can. */
  lazyFrom?: string;
  onLog?: OnLog;
  /** The error to throw when the machine does not come up. */
  failure: (reason: string) => MachinenError;
}

export interface ResumeRequest extends ResumeTerms {
  /** What makes the VMM resume. */
  incoming: MachineVariables;
  binary: string;
  args?: string[];
  cwd: string;
  vmmEnv?: Record<string, string>;
  pdeathsig: boolean;
  network: NetworkOptions;
}

/** What the agent of a resumed machine is told of itself. */
export function resumeWords(hostname: string | undefined, terms: ResumeTerms): object {
  return {
    ...(hostname === undefined ? {} : { hostname }),
    ...(terms.env === undefined ? {} : { env: terms.env }),
    ...(terms.guestCwd === undefined ? {} : { cwd: terms.guestCwd }),
    ...(terms.liveMounts.length > 0 ? { liveMounts: guestLiveMounts(terms.liveMounts) } : {}),
  };
}

/** The name of a machine that was given none, once its pid is known. */
export function autoName(sourceName: string | undefined, pid: number): string | undefined {
  return sourceName === undefined ? undefined : nameBelow(sourceName, String(pid));
}

/** A machine without what it was to have is none. */
async function giveMount({ entry }: StartedMachine, mount: Mount): Promise<void> {
  try {
    await copyMountIn(entry, mount);
  } catch (error) {
    await killMachine(entry);
    throw error;
  }
}

/** Wait for a machine that is on its way to be one of its own, and hand it out. */
export async function handOver(
  started: StartedMachine,
  terms: ResumeTerms,
  hostnameIsSet: boolean,
): Promise<Machine> {
  const { entry } = started;
  const request = hostnameIsSet ? undefined : `HOSTNAME ${hostnameFor(entry.name)}`;
  await waitForStartedAgent(started, terms.failure, request);
  if (!hostnameIsSet) {
    entry.hostname = hostnameFor(entry.name);
    updateEntry(entry.pid, { hostname: entry.hostname });
  }
  if (terms.mount) await giveMount(started, terms.mount);
  await settleMemory(started, terms.memory, terms.onLog);
  if (terms.lazyFrom) await noteLazyMemory(started, terms.lazyFrom, terms.onLog);
  return terms.detached
    ? detachedHandle(started, terms.onLog)
    : ownHandle(started, terms.timeoutMs, terms.onLog);
}

/** Start a machine from the state of another one; resolves when it is a machine of its own. */
export async function resumeMachine(request: ResumeRequest): Promise<Machine> {
  const { name, sourceName } = request;
  const phases = new PhaseTimer("restore", request.onLog);
  const claim = name === undefined ? undefined : claimName(name);
  let runDirPath: string | undefined;
  try {
    sweepOrphansSometimes();
    const runDir = createRunDir();
    runDirPath = runDir.path;
    // Without a name the host name is made of the pid, which is not known yet.
    const hostname = name ?? (sourceName === undefined ? "" : undefined);
    const resume = writeResume(
      runDir,
      resumeWords(hostname === undefined ? undefined : hostnameFor(hostname), request),
    );
    const started = await startMachine({
      ...request,
      record: {
        ...request.record,
        ...forwardRecord(request.network),
        ...liveMountRecord(request.liveMounts),
        hostname: hostname === undefined ? undefined : hostnameFor(hostname),
      },
      runDir,
      variables: {
        ...request.incoming,
        MACHINEN_MEMORY_LIMIT: request.memory.limitMib?.toString(),
        ...networkVariables(request.network),
        ...liveMountVariables(request.liveMounts),
        ...resume,
      },
      name: claim ? { claim, name: name! } : (pid) => autoName(sourceName, pid),
    });
    phases.mark("spawn");
    await waitForForwards(started, request.network);
    const handle = await handOver(started, request, hostname !== undefined);
    phases.mark("agent");
    return handle;
  } catch (error) {
    if (runDirPath) removeRunDir(runDirPath);
    throw error;
  } finally {
    claim?.release();
    phases.flush();
  }
}

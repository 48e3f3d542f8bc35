import type { ChildProcess } from "node:child_process";
import type { OnLog } from "../log.ts";
import { addEntry, claimName, type NameClaim, type RegistryEntry } from "../registry/index.ts";
import { bootSnapshotPath } from "./boot-log.ts";
import { ConsoleStream } from "./console.ts";
import { forgetMachine } from "./end-machine.ts";
import { identify } from "./process-identity.ts";
import { type RunDir, removeRunDir } from "./run-dir.ts";
import { letOffLeash, type SpawnedVmm, spawnVmm } from "./spawn-vmm.ts";
import {
  type MachineVariables,
  ownSockets,
  runDirVariables,
  vmmEnvironment,
  vsockSocket,
} from "./vmm-environment.ts";

/** What a machine is to be known as. */
export interface Registration {
  /** The program that was started. */
  binary: string;
  runDir: RunDir;
  /** Where it was started. Default: where this process is. */
  cwd?: string;
  /** A name claimed already, or one made of the pid. */
  name?: { claim: NameClaim; name: string } | ((pid: number) => string | undefined);
  /** Whether the boot console is going to be written to `bootSnapshotPath`. */
  keepsBootLog?: boolean;
  /** It is to end with this process even so. */
  keepsLeash?: boolean;
  /** What the registry is to know besides what follows from the request. */
  record: Partial<RegistryEntry>;
  onLog?: OnLog;
}

export interface StartRequest extends Registration {
  args?: string[];
  cwd: string;
  variables: MachineVariables;
  vmmEnv?: Record<string, string>;
  detached: boolean;
  pdeathsig: boolean;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A VMM that is our child. */
export interface StartedMachine {
  entry: RegistryEntry;
  child: ChildProcess;
  stdout: ConsoleStream;
  stderr: ConsoleStream;
  exited: Promise<Exit>;
  /** Whether `exited` has resolved. */
  hasExited(): boolean;
}

/**
 * Start a VMM and register it at once: from then on whoever lists or collects garbage finds it, however
 * this process ends. Before that, the run directory's owner file is what leads to it.
 */
export async function startMachine(request: StartRequest): Promise<StartedMachine> {
  const { runDir } = request;
  const env = vmmEnvironment(
    process.env,
    { ...runDirVariables(runDir), ...request.variables },
    request.vmmEnv,
  );
  let child: SpawnedVmm;
  try {
    child = await spawnVmm({ ...request, args: request.args ?? [], env });
  } catch (error) {
    removeRunDir(runDir.path);
    throw error;
  }
  const gone = new Promise((resolve) => child.once("exit", resolve));
  try {
    return registerMachine(child, env, request);
  } catch (error) {
    await gone;
    throw error;
  }
}

/** Make a VMM that is our child a machine. */
export function registerMachine(
  child: SpawnedVmm,
  env: Record<string, string>,
  request: Registration,
): StartedMachine {
  const { runDir, name } = request;
  const sockets = ownSockets(env, request.cwd ?? process.cwd());
  const entry: RegistryEntry = {
    ...request.record,
    pid: child.pid,
    socketPath: vsockSocket(env.MACHINEN_VSOCK, 1978) ?? "",
    filesPath: vsockSocket(env.MACHINEN_VSOCK, 1976),
    controlPath: env.MACHINEN_CONTROL,
    statsPath: env.MACHINEN_STATS_FILE,
    runDir: runDir.path,
    cleanupPaths: [runDir.path],
    ownSockets: sockets.length > 0 ? sockets : undefined,
    bootLogPath: request.keepsBootLog ? bootSnapshotPath(child.pid) : undefined,
    vmmExe: request.binary,
    processIdentity: identify(child.pid)?.identity,
    startedAt: Date.now(),
  };
  const onChunk = (chunk: Buffer) => request.onLog?.({ source: "guest-console", chunk });
  let over = false;
  const exited = new Promise<Exit>((resolve) => {
    const onExit = (code: number | null, signal: NodeJS.Signals | null) => {
      over = true;
      forgetMachine(entry);
      resolve({ code, signal });
    };
    // One that was held before may have ended already.
    if (child.exitCode === null && child.signalCode === null) child.once("exit", onExit);
    else setImmediate(onExit, child.exitCode, child.signalCode);
  });
  const started: StartedMachine = {
    entry,
    child,
    stdout: new ConsoleStream(child.stdout!),
    stderr: new ConsoleStream(child.stderr!, onChunk),
    exited,
    hasExited: () => over,
  };
  // Writing to a machine that has ended is no reason for the caller's program to crash.
  child.stdin?.on("error", () => {});
  try {
    entry.name = typeof name === "function" ? name(child.pid) : name?.name;
    const claim =
      typeof name === "function"
        ? entry.name === undefined
          ? undefined
          : claimName(entry.name)
        : name?.claim;
    addEntry(entry);
    claim?.commit(child.pid);
    if (!request.keepsLeash) letOffLeash(child);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return started;
}

/** Let a detached machine go: nothing of it keeps this process alive or notices its end. */
export function letGo(started: StartedMachine): void {
  started.child.stdin?.destroy();
  started.stdout.destroy();
  started.stderr.destroy();
  started.child.unref();
}

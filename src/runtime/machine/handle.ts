import { PassThrough, type Readable, type Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { hasNoEnd } from "../durations.ts";
import { BootError } from "../errors.ts";
import type { OnLog } from "../log.ts";
import type { RegistryEntry } from "../registry/index.ts";
import { forkMachine, prepareForkOf } from "../snapshot/fork.ts";
import { forkManyMachines } from "../snapshot/fork-many.ts";
import { snapshotMachine } from "../snapshot/save.ts";
import { killMachine, processOf } from "./end-machine.ts";
import { guestCommands, type Liveness } from "./guest-commands.ts";
import { guestFiles } from "./guest-files.ts";
import { memoryStatsOf } from "./memory-stats.ts";
import { isRunning } from "./process-identity.ts";
import { lastWords } from "./readiness.ts";
import { type Exit, letGo, type StartedMachine } from "./start-machine.ts";
import type { Machine } from "./vm-handle.ts";

const DEFAULT_WAIT_MS = 60_000;
const POLL_MS = 50;

/** What differs between a machine of our own and one that another process (or nobody) holds. */
interface HandleParts {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  wait(): Promise<Exit>;
  detach(): void;
  output(): Promise<string>;
  errorOutput(): Promise<string>;
}

function makeHandle(
  entry: RegistryEntry,
  parts: HandleParts,
  onLog?: OnLog,
  lastWords?: Liveness["lastWords"],
): Machine {
  const identity = processOf(entry);
  const isAlive = () => identity !== undefined && isRunning(identity);
  return {
    pid: entry.pid,
    name: entry.name,
    ...guestCommands(entry.socketPath, { isAlive, lastWords }, onLog),
    ...guestFiles(entry),
    ...parts,
    detach: async () => parts.detach(),
    kill: () => killMachine(entry),
    snapshot: (opts) => snapshotMachine(entry, opts, onLog),
    fork: (opts) => forkMachine(entry, opts),
    forkMany: (count, opts) => forkManyMachines(entry, count, opts),
    prepareFork: () => prepareForkOf(entry),
    memoryStats: () => memoryStatsOf(entry),
  };
}

async function waitWithin(started: StartedMachine, timeoutMs: number | null): Promise<Exit> {
  if (hasNoEnd(timeoutMs)) return started.exited;
  const timer = new AbortController();
  const exit = await Promise.race([
    started.exited,
    sleep(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined),
  ]);
  timer.abort();
  if (exit) return exit;
  await killMachine(started.entry);
  throw new BootError(
    "BOOT_TIMEOUT",
    `the machine did not end within ${timeoutMs} ms and was killed; timeoutMs: null waits for ever`,
  );
}

/** A machine that is our child, with its console. */
export function ownHandle(
  started: StartedMachine,
  timeoutMs: number | null = DEFAULT_WAIT_MS,
  onLog?: OnLog,
): Machine {
  const { child, stdout, stderr } = started;
  return makeHandle(
    started.entry,
    {
      stdin: child.stdin!,
      stdout,
      stderr,
      wait: () => waitWithin(started, timeoutMs),
      detach: () => letGo(started),
      output: async () => {
        await stdout.ended;
        return stdout.tail.text();
      },
      errorOutput: async () => {
        await stderr.ended;
        return stderr.tail.text();
      },
    },
    onLog,
    () => lastWords(started),
  );
}

function endedStream(): PassThrough {
  const stream = new PassThrough();
  stream.end();
  return stream;
}

/** A machine known from the registry only: inert streams, and its end is seen by watching its pid. */
export function remoteHandle(entry: RegistryEntry, onLog?: OnLog, exited?: () => Exit): Machine {
  const identity = processOf(entry);
  return makeHandle(
    entry,
    {
      stdin: new PassThrough().resume(),
      stdout: endedStream(),
      stderr: endedStream(),
      wait: async () => {
        while (identity && isRunning(identity)) await sleep(POLL_MS);
        return exited?.() ?? { code: null, signal: null };
      },
      detach: () => {},
      output: async () => "",
      errorOutput: async () => "",
    },
    onLog,
  );
}

/** A detached machine of ours after it was let go. */
export function detachedHandle(started: StartedMachine, onLog?: OnLog): Machine {
  letGo(started);
  return remoteHandle(started.entry, onLog, () => ({
    code: started.child.exitCode,
    signal: started.child.signalCode,
  }));
}

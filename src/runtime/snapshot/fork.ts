import { SnapshotError } from "../errors.ts";
import { processOf } from "../machine/end-machine.ts";
import type { Machine } from "../machine/vm-handle.ts";
import { chooseVmmBinary } from "../machine/vmm-binary.ts";
import { checkForkBackpressure, DEFAULT_FREE_MEMORY_THRESHOLD } from "../memory/index.ts";
import { overrideLiveMounts, resolveLiveMounts } from "../mounts/live-mounts.ts";
import type { RegistryEntry } from "../registry/index.ts";
import { checkResumeOptions } from "./check-resume-options.ts";
import { prepareNextFork } from "./fork-pool.ts";
import { forkPrepared } from "./fork-prepared.ts";
import { memoryOf, planMemory } from "./memory-limit.ts";
import type { ForkOptions } from "./options.ts";
import { restoreBundle } from "./restore.ts";
import { type ResumeTerms, resumeMachine } from "./resume.ts";
import { snapshotMachine } from "./save.ts";
import { waitUntilUp } from "./wait-until-up.ts";

export const forkFailure = (reason: string): SnapshotError =>
  new SnapshotError("SNAPSHOT_DUMP_FAILED", `the machine could not be forked: ${reason}`);

/** Refuse what cannot be forked at all, or not so. */
export async function checkForkable(source: RegistryEntry, opts: ForkOptions = {}): Promise<void> {
  await checkForkBackpressure({
    threshold: opts.freeMemoryThreshold ?? DEFAULT_FREE_MEMORY_THRESHOLD,
  });
  termsOf(source, opts);
  if (!processOf(source)) throw forkFailure("it has ended");
  if (source.snapshotDisabled) {
    throw new SnapshotError("SNAPSHOT_NO_DISK", "this machine was booted with snapshot: false");
  }
  if (!source.controlPath) throw forkFailure("it has no control socket");
}

function lineageOf(source: RegistryEntry) {
  return { parentPid: source.pid, parentName: source.name, forkedAt: Date.now() };
}

/** What the options mean for a fork of this machine; refuses those that mean nothing. */
function termsOf(source: RegistryEntry, opts: ForkOptions): ResumeTerms {
  const cwd = opts.cwd ?? process.cwd();
  const liveMounts = overrideLiveMounts(source.liveMounts, opts.liveMounts);
  const mount = checkResumeOptions(opts, liveMounts, cwd, source);
  const memory = planMemory(opts.memory, memoryOf(source));
  return {
    name: opts.name,
    sourceName: source.name,
    record: {
      ...lineageOf(source),
      imagePath: source.imagePath,
      ...memory.record,
      cpus: source.cpus,
      forkedFrom: opts.forkedFrom,
      templateKey: source.templateKey,
      mountDisk: source.mountDisk,
    },
    detached: opts.detached ?? false,
    timeoutMs: opts.timeoutMs ?? null,
    env: opts.env,
    guestCwd: opts.guestCwd,
    liveMounts: resolveLiveMounts(liveMounts, cwd),
    mount,
    memory,
    onLog: opts.onLog,
    failure: forkFailure,
  };
}

/** A fork by a VMM started now. `group` makes it one of several of the same moment. */
export async function forkFresh(
  source: RegistryEntry,
  opts: ForkOptions,
  group?: string,
): Promise<Machine> {
  const cwd = opts.cwd ?? process.cwd();
  return resumeMachine({
    ...termsOf(source, opts),
    incoming: {
      MACHINEN_INCOMING: `fork:${source.controlPath}`,
      MACHINEN_FORK_GROUP: group,
    },
    binary: chooseVmmBinary(opts.binary, cwd),
    args: opts.args,
    cwd,
    vmmEnv: opts.vmmEnv,
    pdeathsig: !opts.detached && (opts.pdeathsig ?? false),
    network: opts,
  });
}

/** A prepared fork is one of our own VMM, tied to nobody, with nothing of the host's. */
function takesPrepared(opts: ForkOptions, terms: ResumeTerms): boolean {
  const own = [opts.binary, opts.args, opts.vmmEnv].some((value) => value !== undefined);
  const ofTheHost = [opts.portForward, opts.liveMounts].some((list) => list?.length);
  const sameMemory = terms.memory.limitMib === undefined;
  return sameMemory && !own && !opts.pdeathsig && opts.network === undefined && !ofTheHost;
}

/**
 * A copy of a running machine, which goes on. Forks are not tied to this process unless `pdeathsig` is
 * true. With `outDir` the state goes through a bundle that is kept.
 *
 * @throws {BootError} FORK_MEMORY_BACKPRESSURE | what `restore()` throws of its options
 * @throws {SnapshotError} SNAPSHOT_NO_DISK | SNAPSHOT_DUMP_FAILED | SNAPSHOT_TIMEOUT
 */
export async function forkMachine(source: RegistryEntry, opts: ForkOptions = {}): Promise<Machine> {
  await checkForkable(source, opts);
  if (opts.outDir !== undefined) {
    const { snapDir } = await snapshotMachine(source, {
      outDir: opts.outDir,
      leaveRunning: true,
      onLog: opts.onLog,
    });
    const defaults = { pdeathsig: false, timeoutMs: null, ...opts };
    return restoreBundle({ ...defaults, snapDir }, lineageOf(source));
  }
  const terms = termsOf(source, opts);
  const prepared = takesPrepared(opts, terms) && (await forkPrepared(source, terms));
  if (prepared) return prepared;
  await waitUntilUp(source);
  return forkFresh(source, opts);
}

/** `vm.prepareFork()`. */
export async function prepareForkOf(source: RegistryEntry): Promise<void> {
  await checkForkable(source);
  await waitUntilUp(source);
  await prepareNextFork(source);
}

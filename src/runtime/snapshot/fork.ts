import { SnapshotError } from "../errors.ts";
import { processOf } from "../machine/end-machine.ts";
import type { VmHandle } from "../machine/vm-handle.ts";
import { chooseVmmBinary } from "../machine/vmm-binary.ts";
import { checkForkBackpressure, DEFAULT_FREE_MEMORY_THRESHOLD } from "../memory/index.ts";
import type { RegistryEntry } from "../registry/index.ts";
import { checkResumeOptions } from "./check-resume-options.ts";
import type { ForkOptions } from "./options.ts";
import { restoreBundle } from "./restore.ts";
import { resumeMachine } from "./resume.ts";
import { snapshotMachine } from "./save.ts";
import { waitUntilUp } from "./wait-until-up.ts";

/**
 * A copy of a running machine, which goes on. Forks are not tied to this process unless `pdeathsig` is
 * true. With `outDir` the state goes through a bundle that is kept.
 *
 * @throws {BootError} FORK_MEMORY_BACKPRESSURE | what `restore()` throws of its options
 * @throws {SnapshotError} SNAPSHOT_NO_DISK | SNAPSHOT_DUMP_FAILED | SNAPSHOT_TIMEOUT
 */
export async function forkMachine(
  source: RegistryEntry,
  opts: ForkOptions = {},
): Promise<VmHandle> {
  await checkForkBackpressure({
    threshold: opts.freeMemoryThreshold ?? DEFAULT_FREE_MEMORY_THRESHOLD,
  });
  const cwd = opts.cwd ?? process.cwd();
  checkResumeOptions(opts, cwd, source.memoryCeilingMib);
  const failure = (reason: string) =>
    new SnapshotError("SNAPSHOT_DUMP_FAILED", `the machine could not be forked: ${reason}`);
  if (!processOf(source)) throw failure("it has ended");
  if (source.snapshotDisabled) {
    throw new SnapshotError("SNAPSHOT_NO_DISK", "this machine was booted with snapshot: false");
  }
  if (!source.controlPath) throw failure("it has no control socket");
  const lineage = { parentPid: source.pid, parentName: source.name };
  const defaults = { pdeathsig: false, timeoutMs: null, ...opts };
  if (opts.outDir !== undefined) {
    const { snapDir } = await snapshotMachine(source, {
      outDir: opts.outDir,
      leaveRunning: true,
      onLog: opts.onLog,
    });
    return restoreBundle({ ...defaults, snapDir }, lineage);
  }
  await waitUntilUp(source);
  return resumeMachine({
    incoming: `fork:${source.controlPath}`,
    binary: chooseVmmBinary(opts.binary, cwd),
    args: opts.args,
    cwd,
    vmmEnv: opts.vmmEnv,
    name: opts.name,
    sourceName: source.name,
    record: {
      ...lineage,
      imagePath: source.imagePath,
      diskPath: source.diskPath,
      memoryCeilingMib: source.memoryCeilingMib,
      forkedFrom: opts.forkedFrom,
    },
    detached: opts.detached ?? false,
    pdeathsig: !opts.detached && defaults.pdeathsig,
    timeoutMs: defaults.timeoutMs,
    onLog: opts.onLog,
    failure,
  });
}

import { resolve } from "node:path";
import { agentRequest } from "../control/agent-control.ts";
import { vmmConsole } from "../control/vmm-control.ts";
import { isMachinenError, SnapshotError } from "../errors.ts";
import { type OnLog, PhaseTimer } from "../log.ts";
import { killMachine, processOf } from "../machine/end-machine.ts";
import { waitUntilGone } from "../machine/process-identity.ts";
import { agentSocketIn } from "../machine/run-dir.ts";
import type { RegistryEntry } from "../registry/index.ts";
import { describeBundle } from "./bundle.ts";
import {
  type BundleStaging,
  checkOutDir,
  discardStaging,
  publishBundle,
  stageBundle,
} from "./bundle-staging.ts";
import { consoleSince } from "./console-during.ts";
import type { SnapshotOptions, SnapshotResult } from "./options.ts";
import { type Saver, startSaver } from "./saver.ts";
import { timeLimit } from "./time-limit.ts";
import { waitUntilUp } from "./wait-until-up.ts";

const DEFAULT_TIMEOUT_MS = 90_000;
/** After `quit` a machine only has to let go of its memory. */
const QUIT_MS = 5000;
const SYNC_MS = 10_000;

function dumpFailed(error: unknown): SnapshotError {
  if (isMachinenError(error)) return error as SnapshotError;
  const reason = (error as NodeJS.ErrnoException).code === "ENOSPC" ? "the disk is full" : "";
  return new SnapshotError(
    "SNAPSHOT_DUMP_FAILED",
    `the bundle could not be written: ${reason || (error as Error).message}`,
    { cause: error },
  );
}

function readConsole(controlPath: string): Promise<Buffer> {
  return vmmConsole(controlPath, 1000).catch(() => Buffer.alloc(0));
}

/** What the guest wrote to its mount is then in `mount-upper.img`, also for who reads that file alone. */
async function settleMount({ mountDisk, runDir }: RegistryEntry): Promise<void> {
  if (mountDisk === undefined || runDir === undefined) return;
  await agentRequest(agentSocketIn(runDir), "SYNC", SYNC_MS).catch(() => {});
}

/** End the source, whose state is safe in the bundle now. */
async function endSource(entry: RegistryEntry, saver: Saver): Promise<void> {
  const vmm = processOf(entry);
  await saver.finish("quit").catch(() => {});
  if (vmm) await waitUntilGone([vmm], QUIT_MS);
  await killMachine(entry);
}

/** Whatever went wrong, the guest goes on and nothing half-made stays. */
async function undo(saver: Saver, staging: BundleStaging): Promise<void> {
  await saver.abort();
  discardStaging(staging);
}

/**
 * Write a machine into a bundle. One that was to end and is not saved in time is killed: callers that would
 * rather keep it save it with `leaveRunning` and end it themselves.
 *
 * @throws {SnapshotError} SNAPSHOT_NO_DISK | SNAPSHOT_DUMP_FAILED | SNAPSHOT_TIMEOUT
 */
export async function snapshotMachine(
  entry: RegistryEntry,
  opts: SnapshotOptions,
  bootLog?: OnLog,
): Promise<SnapshotResult> {
  const startedAt = performance.now();
  const log: OnLog = (event) => {
    bootLog?.(event);
    opts.onLog?.(event);
  };
  if (entry.snapshotDisabled) {
    throw new SnapshotError("SNAPSHOT_NO_DISK", "this machine was booted with snapshot: false");
  }
  const { controlPath } = entry;
  if (!controlPath) {
    throw new SnapshotError("SNAPSHOT_DUMP_FAILED", "this machine has no control socket");
  }
  const snapDir = resolve(opts.outDir);
  const hold = !opts.leaveRunning;
  const phases = new PhaseTimer("snapshot", log);
  checkOutDir(snapDir);
  const limit = timeLimit(opts.timeoutMs ?? DEFAULT_TIMEOUT_MS, !hold);
  let staging: BundleStaging | undefined;
  let saver: Saver | undefined;
  try {
    await limit.within(waitUntilUp(entry, limit.signal));
    await limit.within(settleMount(entry));
    phases.mark("up");
    staging = stageBundle(snapDir);
    const before = await readConsole(controlPath);
    saver = startSaver(controlPath, staging.imgDir, hold);
    await limit.within(saver.saved);
    phases.mark("save");
    const printed = consoleSince(before, await readConsole(controlPath));
    if (printed.length > 0) log({ source: "guest-console", chunk: printed });
    publishBundle(staging, describeBundle(entry), snapDir);
    phases.mark("publish");
    if (hold) await endSource(entry, saver);
    phases.mark("end");
    return {
      snapDir,
      imgDir: resolve(snapDir, "img"),
      elapsedMs: performance.now() - startedAt,
      consoleLog: printed.toString("utf8"),
    };
  } catch (error) {
    if (staging && saver) await undo(saver, staging);
    else if (staging) discardStaging(staging);
    if (hold && isMachinenError(error, "SNAPSHOT_TIMEOUT")) await killMachine(entry);
    throw dumpFailed(error);
  } finally {
    limit.clear();
    phases.flush();
  }
}

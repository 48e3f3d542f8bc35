import { realpathSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { isAbsolute, normalize, sep } from "node:path";
import { hasCode } from "./atomic-file.ts";
import {
  dropEntry,
  ownedPaths,
  pathExists,
  readEntry,
  recordedPids,
  statusOf,
  withEntryLock,
} from "./entries.ts";
import type { RegistryEntry } from "./entry.ts";
import { pruneNames } from "./names.ts";
import { registryRoot } from "./paths.ts";
import { type PidStatus, validatePid } from "./validate-pid.ts";

export interface GcResult {
  pid: number;
  name?: string;
  status: PidStatus;
  /** Removed, or with `dryRun` to be removed. */
  removedPaths: string[];
  /** Recorded but not removed: already gone, refused as unsafe, or the system said no. */
  failedPaths: string[];
  /** False when something is left that a later run should try again. */
  registryRemoved: boolean;
}

export interface RunGcOptions {
  /** Say what would be done and do nothing. */
  dryRun?: boolean;
  /** Look at this one record only. */
  pid?: number;
}

/** Remove what machines that are no longer there have left: their files and their records. */
export function runGc(opts: RunGcOptions = {}): GcResult[] {
  const pids = opts.pid === undefined ? recordedPids() : [opts.pid];
  const results: GcResult[] = [];
  for (const pid of pids) {
    const result = opts.dryRun ? examine(pid) : withEntryLock(pid, () => collect(pid));
    if (result !== undefined) results.push(result);
  }
  if (!opts.dryRun) pruneNames();
  return results;
}

function examine(pid: number): GcResult | undefined {
  return judge(pid, (path) => (!isSafeToRemove(path) || !pathExists(path) ? "gone" : "removed"));
}

function collect(pid: number): GcResult | undefined {
  const result = judge(pid, removeTree);
  if (result?.registryRemoved) dropEntry(pid);
  return result;
}

type Removal = "removed" | "gone" | "failed";

function judge(pid: number, remove: (path: string) => Removal): GcResult | undefined {
  const entry = readEntry(pid);
  // A record nobody can read says nothing about the process: only a free pid makes it rubbish.
  const status = entry === undefined ? validatePid(pid, {}) : statusOf(entry);
  if (status === "alive" || (entry === undefined && !recordedPids().includes(pid))) {
    return undefined;
  }
  const result: GcResult = {
    pid,
    status,
    removedPaths: [],
    failedPaths: [],
    registryRemoved: true,
  };
  if (entry?.name !== undefined) result.name = entry.name;
  for (const path of entry === undefined ? [] : ownedPaths(entry)) {
    const removal = remove(path);
    (removal === "removed" ? result.removedPaths : result.failedPaths).push(path);
    if (removal === "failed") result.registryRemoved = false;
  }
  return result;
}

/** Remove the files of a machine that has ended, as far as its record can be trusted with them. */
export function removeFilesOf(stale: RegistryEntry): void {
  for (const path of ownedPaths(stale)) removeTree(path);
}

function removeTree(path: string): Removal {
  if (!isSafeToRemove(path) || !pathExists(path)) return "gone";
  try {
    // Removes symbolic links, never what they point to.
    rmSync(path, { recursive: true });
    return "removed";
  } catch (error) {
    return hasCode(error, "ENOENT") ? "gone" : "failed";
  }
}

/** A damaged record must not cost the user more than a machine's own files. */
export function isSafeToRemove(path: string): boolean {
  if (!isAbsolute(path) || path.includes("\0") || path.split(sep).includes("..")) return false;
  const clean = normalize(path).replace(/(.)\/+$/, "$1");
  const kept = [homedir(), tmpdir(), registryRoot()].flatMap((dir) => [dir, resolved(dir)]);
  const holdsKept = kept.some((dir) => dir === clean || dir.startsWith(`${clean}${sep}`));
  return clean !== sep && clean.split(sep).length > 2 && !holdsKept;
}

function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

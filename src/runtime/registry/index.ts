import { join } from "node:path";
import { readdirOrEmpty, sweepStaging } from "./atomic-file.ts";
import {
  dropEntry,
  ownedPaths,
  pathExists,
  readEntry,
  recordedPids,
  statusOf,
  withEntryLock,
  writeEntry,
} from "./entries.ts";
import type { RegistryEntry } from "./entry.ts";
import { removeFilesOf } from "./gc.ts";
import { pruneNames } from "./names.ts";
import { ownerLives, removeOwned } from "./owned-file.ts";
import { locksDir } from "./paths.ts";
import { validatePid } from "./validate-pid.ts";

export { readEntry, removeEntry, updateEntry } from "./entries.ts";
export type { RegistryEntry } from "./entry.ts";
export { type GcResult, type RunGcOptions, removeFilesOf, runGc } from "./gc.ts";
export { claimName, type NameClaim, releaseName } from "./names.ts";
export { checkName, nameBelow, registryRoot } from "./paths.ts";
export { type PidStatus, validatePid } from "./validate-pid.ts";
export { watchRegistry } from "./watch.ts";

/** Record a machine that runs now. Its name, if it has one, must have been claimed before. */
export function addEntry(entry: RegistryEntry): void {
  writeEntry(entry, removeFilesOf);
}

/** Every live machine, in no order, without tidying up on the way. */
export function liveEntries(): RegistryEntry[] {
  return recordedPids()
    .map(readEntry)
    .filter((entry) => entry !== undefined)
    .filter((entry) => statusOf(entry) === "alive");
}

/**
 * Every live machine, oldest first. Forgets dead ones on the way, but keeps the record of a dead
 * one that has left files behind: only `runGc` removes files, and it must still find them.
 */
export function list(): RegistryEntry[] {
  const alive: RegistryEntry[] = [];
  for (const pid of recordedPids()) {
    const entry = readEntry(pid);
    if (entry !== undefined && statusOf(entry) === "alive") alive.push(entry);
    else bestEffort(() => withEntryLock(pid, () => forgetDead(pid)));
  }
  bestEffort(pruneNames);
  bestEffort(sweepStaging);
  bestEffort(sweepLocks);
  return alive.sort((a, b) => a.startedAt - b.startedAt || a.pid - b.pid);
}

/** The live machine called `name`. */
export function findByName(name: string): RegistryEntry | undefined {
  return list().find((entry) => entry.name === name);
}

/** Under the lock, so look again: the pid may have become a new machine's since. */
function forgetDead(pid: number): void {
  const entry = readEntry(pid);
  const status = entry === undefined ? validatePid(pid, {}) : statusOf(entry);
  if (status === "alive" || (entry && ownedPaths(entry).some(pathExists))) return;
  dropEntry(pid);
}

function sweepLocks(): void {
  for (const file of readdirOrEmpty(locksDir())) {
    removeOwned(join(locksDir(), file), (owner) => !ownerLives(owner));
  }
}

/** Tidying up must not keep anyone from seeing the machines: the directory may be read-only. */
function bestEffort(action: () => void): void {
  try {
    action();
  } catch {
    // The next caller tries again.
  }
}

import { lstatSync, readFileSync, rmSync, statSync } from "node:fs";
import { isAbandonedSocket } from "./abandoned-socket.ts";
import { readdirOrEmpty, replaceFile } from "./atomic-file.ts";
import { parseEntry, type RegistryEntry } from "./entry.ts";
import { releaseName } from "./names.ts";
import { withLock } from "./owned-file.ts";
import { checkName, entryDir, metaPath, registryRoot } from "./paths.ts";
import { readProcess } from "./process.ts";
import { type PidStatus, validatePid } from "./validate-pid.ts";

const MAX_META_BYTES = 1 << 20;

/** The record of `pid`, alive or not; undefined when there is none or it cannot be understood. */
export function readEntry(pid: number): RegistryEntry | undefined {
  try {
    if (statSync(metaPath(pid)).size > MAX_META_BYTES) return undefined;
    return parseEntry(readFileSync(metaPath(pid), "utf8"), pid);
  } catch {
    return undefined;
  }
}

/**
 * Record a machine that runs now. An older record of the same pid can only be a dead machine's:
 * `onStale` sees it before it is overwritten. The name must have been claimed before.
 */
export function writeEntry(entry: RegistryEntry, onStale: (stale: RegistryEntry) => void): void {
  if (entry.name !== undefined) checkName(entry.name);
  withEntryLock(entry.pid, () => {
    const stale = readEntry(entry.pid);
    if (stale !== undefined && statusOf(stale) !== "alive") onStale(stale);
    const processIdentity = entry.processIdentity ?? readProcess(entry.pid)?.identity;
    store({ ...entry, processIdentity });
  });
}

/** Change some fields of a record; does nothing when it is gone. Not for the name: claim it first. */
export function updateEntry(pid: number, patch: Partial<Omit<RegistryEntry, "pid">>): void {
  withEntryLock(pid, () => {
    const entry = readEntry(pid);
    if (entry !== undefined) store({ ...entry, ...patch, pid });
  });
}

/** Drop the record of `pid` and free its name. Leaves the machine and its files alone. */
export function removeEntry(pid: number): void {
  withEntryLock(pid, () => dropEntry(pid));
}

/** `removeEntry` for callers that hold the entry's lock. */
export function dropEntry(pid: number): void {
  const name = readEntry(pid)?.name;
  rmSync(entryDir(pid), { recursive: true, force: true });
  if (name !== undefined) releaseName(name, pid);
}

export function withEntryLock<T>(pid: number, action: () => T): T {
  return withLock(`entry-${pid}`, action);
}

/** Every pid with a record, sound or not. */
export function recordedPids(): number[] {
  return readdirOrEmpty(registryRoot())
    .filter((file) => /^[1-9]\d{0,9}$/.test(file))
    .map(Number);
}

export function statusOf(entry: RegistryEntry): PidStatus {
  return validatePid(entry.pid, entry);
}

/** What the machine owns on disk, each path once, the boot log last. */
export function ownedPaths(entry: RegistryEntry): string[] {
  const sockets = entry.ownSockets?.filter(isAbandonedSocket) ?? [];
  const paths = [...(entry.cleanupPaths ?? []), ...sockets, entry.runDir, entry.bootLogPath];
  return [...new Set(paths.filter((path) => path !== undefined))];
}

export function pathExists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function store(entry: RegistryEntry): void {
  replaceFile(metaPath(entry.pid), `${JSON.stringify(entry, null, 2)}\n`);
}

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { registryRoot } from "../registry/index.ts";
import { identify, isRunning, signalProcess } from "./process-identity.ts";
import { readOwner, removeRunDir, runRoot, UNFINISHED } from "./run-dir.ts";

const RUN_DIR = /^[0-9a-f]{12}$/;

/** A run directory whose machine is in no registry and will not come into one. */
export interface OrphanDir {
  path: string;
  creatorPid: number;
}

/**
 * A directory whose creator has ended. Only the registry it was made for can tell whether it is an orphan: a
 * program with another `MACHINEN_REGISTRY_DIR` must not end these machines.
 */
function asAbandoned(path: string): OrphanDir | undefined {
  const owner = readOwner(path);
  if (owner === undefined || owner === "none" || owner.registry !== registryRoot())
    return undefined;
  return isRunning(owner) ? undefined : { path, creatorPid: owner.pid };
}

/** What processes left that were killed while they made or removed a run directory: no machine has to do with it. */
function removeRemains(root: string, names: string[]): void {
  for (const name of names) {
    const path = join(root, name);
    const maker = UNFINISHED.exec(name)?.[1];
    const madeByNobody = maker !== undefined && identify(Number(maker)) === undefined;
    if (madeByNobody || (RUN_DIR.test(name) && readOwner(path) === "none")) removeRunDir(path);
  }
}

/** Processes started with this run directory: a VMM that lost its creator before it was registered. */
function endUsersOf(path: string): void {
  const needle = `\0MACHINEN_RUN_DIR=${path}\0`;
  let pids: string[] = [];
  try {
    pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return;
  }
  for (const pid of pids) {
    const identity = identify(Number(pid));
    try {
      const environment = `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}\0`;
      // Never a process of the runtime itself, should one have been started from inside a VMM's environment.
      if (!environment.includes(needle) || readlinkSync(`/proc/${pid}/exe`) === process.execPath) {
        continue;
      }
    } catch {
      continue;
    }
    if (identity) signalProcess(identity, "SIGKILL");
  }
}

/**
 * Remove run directories whose creator died before it registered its machine, and the machine with them.
 * `registered` reads which directories belong to registered machines; it is asked after the creators were
 * seen dead, because only then a machine that is not registered will never be. Returns what was (or would be)
 * removed.
 */
export function sweepRunDirs(registered: () => ReadonlySet<string>, dryRun = false): OrphanDir[] {
  const root = runRoot();
  let names: string[] = [];
  try {
    names = readdirSync(root);
  } catch {
    return [];
  }
  const dirs = names.filter((name) => RUN_DIR.test(name));
  const abandoned = dirs.flatMap((name) => asAbandoned(join(root, name)) ?? []);
  if (!dryRun) removeRemains(root, names);
  if (abandoned.length === 0) return [];
  const inUse = registered();
  const orphans = abandoned.filter(({ path }) => !inUse.has(path));
  if (dryRun) return orphans;
  for (const { path } of orphans) {
    endUsersOf(path);
    removeRunDir(path);
  }
  return orphans;
}

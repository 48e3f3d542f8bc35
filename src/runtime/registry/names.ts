import { type Dirent, readdirSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { RegistryError } from "../errors.ts";
import { handOver, ownerLives, removeOwned, tryOwn } from "./owned-file.ts";
import { checkName, namesDir, PIN_FILE, pinPath } from "./paths.ts";

export interface NameClaim {
  /** The name is the machine's now, for as long as process `pid` lives. */
  commit(pid: number): void;
  /** Give the name back; does nothing after `commit`, so that it may stand in a `finally`. */
  release(): void;
}

/**
 * Reserve `name` for this process until it is committed or released. Of several processes that
 * ask at once exactly one gets it. A name held by a process that has died is free.
 *
 * @throws {RegistryError} REGISTRY_NAME_IN_USE
 * @throws {ParseError} PARSE_FLAG_MALFORMED for a name that cannot be one
 */
export function claimName(name: string): NameClaim {
  checkName(name);
  const path = pinPath(name);
  const attempt = tryOwn(path);
  if (!attempt.owned) {
    throw new RegistryError(
      "REGISTRY_NAME_IN_USE",
      `the name ${JSON.stringify(name)} is in use by process ${attempt.pid}`,
    );
  }
  let open = true;
  return {
    commit(pid) {
      if (!open) return;
      open = false;
      handOver(path, pid);
    },
    release() {
      if (!open) return;
      open = false;
      removePin(name, (owner) => owner === process.pid);
    },
  };
}

/** Free `name` if process `pid` holds it. */
export function releaseName(name: string, pid: number): void {
  removePin(name, (owner) => owner === pid);
}

function removePin(name: string, when: (owner: number) => boolean): void {
  const path = pinPath(name);
  if (removeOwned(path, (owner) => when(owner.pid))) removeEmptyParents(path);
}

/** Names go down a few levels at most; anything deeper was not made by us. */
const MAX_DEPTH = 100;

/** Remove pins whose owner has died, and directories nobody needs. */
export function pruneNames(dir = namesDir(), depth = 0): void {
  let files: Dirent[];
  try {
    files = readdirSync(dir, { withFileTypes: true });
  } catch {
    return;
  }
  for (const file of files) {
    const path = join(dir, file.name);
    if (file.isDirectory() && depth < MAX_DEPTH) {
      pruneNames(path, depth + 1);
      removeIfEmpty(path);
    } else if (file.name === PIN_FILE) {
      removeOwned(path, (owner) => !ownerLives(owner));
    }
  }
}

function removeEmptyParents(path: string): void {
  const top = namesDir();
  for (let dir = dirname(path); dir !== top && dir.startsWith(top); dir = dirname(dir)) {
    if (!removeIfEmpty(dir)) return;
  }
}

function removeIfEmpty(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch {
    return false;
  }
}

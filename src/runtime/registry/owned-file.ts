import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { createFile, removeFile, replaceFile } from "./atomic-file.ts";
import { locksDir } from "./paths.ts";
import { readProcess } from "./process.ts";

/**
 * A file that belongs to one living process; name pins and locks are such files.
 *
 * Creating one is atomic. Replacing or removing one whose owner died is the dangerous part: two
 * processes may both see the dead owner, and the slower one must not remove what the faster one
 * has just put there. So each file's contents are unique, and whoever touches a dead owner's file
 * holds the lock named after these contents and has read them again under it. The lock is itself
 * an owned file: if its owner died, it is taken over by the same rule.
 */
interface Owner {
  pid: number;
  identity?: string;
}

interface Found extends Owner {
  contents: string;
}

const MAX_BYTES = 4096;

/** What `path` says about its owner; undefined when there is no such file. */
export function readOwned(path: string): Found | undefined {
  let contents: string;
  try {
    const file = openSync(path, "r");
    try {
      const buffer = Buffer.alloc(MAX_BYTES);
      contents = buffer.toString("utf8", 0, readSync(file, buffer, 0, MAX_BYTES, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
  try {
    const { pid, identity } = JSON.parse(contents);
    if (Number.isSafeInteger(pid)) {
      return { pid, identity: typeof identity === "string" ? identity : undefined, contents };
    }
  } catch {
    // Not ours or damaged: nobody owns it.
  }
  return { pid: 0, contents };
}

export function ownerLives(owner: Owner): boolean {
  const actual = readProcess(owner.pid);
  if (actual === undefined) return false;
  return owner.identity === undefined || actual.identity === owner.identity;
}

/** Make `path` ours, taking it from a dead owner; otherwise say who owns it. */
export function tryOwn(path: string): { owned: true } | { owned: false; pid: number } {
  for (;;) {
    const found = readOwned(path);
    if (found !== undefined && ownerLives(found)) return { owned: false, pid: found.pid };
    const mine = describeOwner(process.pid);
    if (found === undefined) {
      if (createFile(path, mine)) return { owned: true };
    } else if (underLockOf(path, found, () => replaceFile(path, mine))) {
      return { owned: true };
    }
  }
}

/** Give a file of ours to process `pid`. */
export function handOver(path: string, pid: number): void {
  replaceFile(path, describeOwner(pid));
}

/** Remove `path` if `when` holds for its owner, whoever that is. */
export function removeOwned(path: string, when: (owner: Owner) => boolean): boolean {
  const found = readOwned(path);
  if (found === undefined || !when(found)) return false;
  return underLockOf(path, found, () => removeFile(path));
}

/** How long one living process may hold a lock before waiting for it is a failure. */
const LOCK_PATIENCE_MS = 5000;
const LONGEST_SLEEP_MS = 40;

/** Run `action` while no other process is inside `withLock` of the same name. */
export function withLock<T>(name: string, action: () => T): T {
  const path = join(locksDir(), name);
  let holder = 0;
  let since = Date.now();
  for (let tries = 0; ; tries++) {
    const attempt = tryOwn(path);
    if (attempt.owned) break;
    if (attempt.pid !== holder) {
      holder = attempt.pid;
      since = Date.now();
    } else if (Date.now() - since > LOCK_PATIENCE_MS) {
      throw new Error(`the registry lock ${path} is held by process ${holder}`);
    }
    // Backing off keeps a crowd of waiters from slowing down the one that works.
    const longest = Math.min(2 ** tries, LONGEST_SLEEP_MS);
    Atomics.wait(SLEEPER, 0, 0, 1 + Math.random() * longest);
  }
  try {
    return action();
  } finally {
    removeFile(path);
  }
}

const SLEEPER = new Int32Array(new SharedArrayBuffer(4));

function underLockOf(path: string, found: Found, action: () => void): boolean {
  const name = createHash("sha256").update(found.contents).digest("hex").slice(0, 32);
  return withLock(name, () => {
    if (readOwned(path)?.contents !== found.contents) return false;
    action();
    return true;
  });
}

function describeOwner(pid: number): string {
  const nonce = randomBytes(12).toString("hex");
  return `${JSON.stringify({ pid, identity: readProcess(pid)?.identity, nonce })}\n`;
}

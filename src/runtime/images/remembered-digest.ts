import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDir, cacheRoot } from "./cache-dir.ts";

/** Notes of files that are gone would otherwise pile up. */
const KEPT_NOTES = 200;

const notes = (): string => cacheDir(join(cacheRoot(), "digests"));

/** The digest noted under a key that changes whenever what was digested does. */
export function recallDigest(key: string): string | undefined {
  try {
    const text = readFileSync(join(notes(), key), "utf8");
    return /^[0-9a-f]{64}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Failing to remember only costs time. */
export function rememberDigest(key: string, digest: string): void {
  const directory = notes();
  const staged = join(directory, `.${randomBytes(6).toString("hex")}`);
  try {
    writeFileSync(staged, digest, { mode: 0o600 });
    renameSync(staged, join(directory, key));
    const all = readdirSync(directory).map((name) => {
      const path = join(directory, name);
      return { path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 };
    });
    all.sort((a, b) => b.at - a.at);
    for (const { path } of all.slice(KEPT_NOTES)) rmSync(path, { force: true });
  } catch {
    rmSync(staged, { force: true });
  }
}

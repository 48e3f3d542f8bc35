import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheDir, cacheRoot, statKey } from "./cache-dir.ts";
import { hashFile } from "./tree-manifest.ts";

const remembered = new Map<string, string>();
/** Notes of files that are gone would otherwise pile up. */
const KEPT_NOTES = 200;

/**
 * One sha256 over the names and contents of some files. Reading a kernel or an image takes longer than a
 * boot from a template, so the answer is remembered for as long as none of them is touched.
 */
export function contentDigest(...paths: string[]): string {
  const key = statKey(...paths);
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const directory = cacheDir(join(cacheRoot(), "digests"));
  const note = join(directory, key);
  const digest = readNote(note) ?? computeDigest(paths);
  if (readNote(note) === undefined) writeNote(directory, note, digest);
  remembered.set(key, digest);
  return digest;
}

function computeDigest(paths: string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(`${basename(path)} ${hashFile(path)}\n`);
  return hash.digest("hex");
}

function readNote(note: string): string | undefined {
  try {
    const text = readFileSync(note, "utf8");
    return /^[0-9a-f]{64}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Failing to remember only costs time. */
function writeNote(directory: string, note: string, digest: string): void {
  const staged = join(directory, `.${randomBytes(6).toString("hex")}`);
  try {
    writeFileSync(staged, digest, { mode: 0o600 });
    renameSync(staged, note);
    const notes = readdirSync(directory).map((name) => {
      const path = join(directory, name);
      return { path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 };
    });
    notes.sort((a, b) => b.at - a.at);
    for (const { path } of notes.slice(KEPT_NOTES)) rmSync(path, { force: true });
  } catch {
    rmSync(staged, { force: true });
  }
}

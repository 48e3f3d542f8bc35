import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readdirSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stagingDir } from "./paths.ts";
import { readProcess } from "./process.ts";

/** Put `contents` at `path` so that readers see the old or the new file, never a part of one. */
export function replaceFile(path: string, contents: string): void {
  publish(path, contents, renameSync);
}

/** Like `replaceFile`, but only when nothing is there: false when something is. */
export function createFile(path: string, contents: string): boolean {
  try {
    publish(path, contents, linkSync);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

/** A new private file. On a full disk the system does not say where room is needed: the error does. */
export function writeNew(path: string, contents: string): void {
  try {
    writeFileSync(path, contents, { flag: "wx", mode: 0o600 });
  } catch (error) {
    const { message } = error as Error;
    throw message.includes(path)
      ? error
      : Object.assign(error as Error, { message: `${message} ${path}` });
  }
}

function publish(path: string, contents: string, into: (from: string, to: string) => void): void {
  mkdirSync(stagingDir(), { recursive: true, mode: 0o700 });
  const staged = join(stagingDir(), `${process.pid}-${randomBytes(8).toString("hex")}`);
  try {
    writeNew(staged, contents);
    // Someone may remove the directory as empty between making and using it.
    for (let attempt = 0; ; attempt++) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      try {
        into(staged, path);
        return;
      } catch (error) {
        if (!hasCode(error, "ENOENT") || attempt === 100) throw error;
      }
    }
  } finally {
    removeFile(staged);
  }
}

export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!hasCode(error, "ENOENT") && !hasCode(error, "ENOTDIR")) throw error;
  }
}

/** Remove what processes that died in the middle of a write left behind. */
export function sweepStaging(): void {
  for (const file of readdirOrEmpty(stagingDir())) {
    if (readProcess(Number(file.split("-")[0])) === undefined) removeFile(join(stagingDir(), file));
  }
}

export function readdirOrEmpty(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

export function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === code;
}

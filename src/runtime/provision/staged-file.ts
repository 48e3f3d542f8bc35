import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readProcess } from "../registry/process.ts";
import { syncFile } from "../sync-file.ts";

const STAGED = /^\.machinen-(\d+)-[0-9a-f]{8}\.partial$/;

/** A file that is written beside its place and moved there whole. */
export interface StagedFile {
  path: string;
  /** Wait until it is on disk and put it in its place. */
  publish(): void;
  /** Remove it unless it was published. */
  discard(): void;
}

/** What writers that were killed left in this directory. */
function removeAbandoned(directory: string): void {
  for (const name of readdirSync(directory)) {
    const pid = STAGED.exec(name)?.[1];
    if (pid !== undefined && readProcess(Number(pid)) === undefined) {
      rmSync(join(directory, name), { force: true });
    }
  }
}

/** Makes the directory when it is missing. */
export function stageFile(target: string): StagedFile {
  const directory = dirname(target);
  mkdirSync(directory, { recursive: true });
  removeAbandoned(directory);
  const path = join(
    directory,
    `.machinen-${process.pid}-${randomBytes(4).toString("hex")}.partial`,
  );
  closeSync(openSync(path, "wx", 0o644)); // an unwritable directory is known before the work, not after it
  return {
    path,
    publish: () => {
      syncFile(path);
      renameSync(path, join(directory, basename(target)));
      syncFile(directory);
    },
    discard: () => rmSync(path, { force: true }),
  };
}

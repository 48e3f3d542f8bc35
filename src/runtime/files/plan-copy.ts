import { posix } from "node:path";
import { FilesError } from "../errors.ts";
import type { Kind } from "./guest-side.ts";

/** One end of a copy as the user wrote it, and what is there. */
export interface CopyEnd {
  path: string;
  /** The path itself. */
  own: Kind;
  /** What it leads to. */
  meant: Kind;
}

/** Where a copy goes: into `directory`, under `name`, or without one as what it holds. */
export interface CopyPlan {
  directory: string;
  name?: string;
}

/** `dir/.` and `.` mean what the directory holds. */
export function meansContents(path: string): boolean {
  return /(^|\/)\.\/*$/.test(path) || /^\/+$/.test(path) || /(^|\/)\.\.\/*$/.test(path);
}

/**
 * Where the copy of `source` to `target` goes, by the rules of `docker cp`: into an existing directory under its own
 * name, else under the name given, whose parent must be there. `parent` is what the directory of `target` is.
 *
 * @throws {FilesError} FILES_TRANSFER_FAILED
 */
export function planCopy(source: CopyEnd, target: CopyEnd, parent: Kind): CopyPlan {
  if (source.own === "missing") throw missing(source.path);
  const contents = meansContents(source.path);
  const isTree = (contents || /\/$/.test(source.path) ? source.meant : source.own) === "directory";
  if (contents && !isTree) throw notDirectory(source.path);
  if (target.meant === "directory") {
    return contents
      ? { directory: target.path }
      : { directory: target.path, name: posix.basename(source.path) };
  }
  if (target.own === "missing") {
    if (!isTree && target.path.endsWith("/")) throw missing(target.path);
    if (parent !== "directory") throw missing(posix.dirname(target.path));
    return isTree && contents
      ? { directory: target.path }
      : { directory: posix.dirname(target.path), name: posix.basename(target.path) };
  }
  if (isTree || target.path.endsWith("/")) throw notDirectory(target.path);
  return { directory: posix.dirname(target.path), name: posix.basename(target.path) };
}

function missing(path: string): FilesError {
  return new FilesError("FILES_TRANSFER_FAILED", `${path} does not exist`);
}

function notDirectory(path: string): FilesError {
  return new FilesError("FILES_TRANSFER_FAILED", `${path} is not a directory`);
}

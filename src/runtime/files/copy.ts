import { lstatSync, type Stats, statSync } from "node:fs";
import { dirname, posix, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { FilesError } from "../errors.ts";
import { checkText } from "./archive-process.ts";
import { type Kind, statInGuest, type TransferOptions } from "./guest-side.ts";
import { type CopyEnd, meansContents, planCopy } from "./plan-copy.ts";
import { statRequest } from "./requests.ts";
import {
  receiveArchive,
  receiveTree,
  sendArchive,
  sendTree,
  type TreeOptions,
} from "./transfer.ts";

export type CopyOptions = TreeOptions;

/** Copy a file or directory of the host, or an archive, into the guest, as `docker cp` does. */
export async function copyIn(
  udsPath: string,
  from: string | Readable,
  guestPath: string,
  opts: CopyOptions = {},
): Promise<void> {
  const target = await guestEnd(udsPath, guestPath, opts);
  if (typeof from !== "string") {
    if (target.meant !== "directory") throw noDirectory(guestPath);
    return sendArchive(udsPath, guestPath, from, opts);
  }
  checkText(from, ...(opts.excludes ?? []));
  const source = hostEnd(from);
  if (source.own === "missing") {
    throw new FilesError("FILES_HOST_DIR_NOT_FOUND", `${from} does not exist`);
  }
  const parent = await guestEnd(udsPath, posix.dirname(guestPath), opts);
  const plan = planCopy(source, target, parent.meant);
  await sendTree(udsPath, absolute(from), plan.directory, { ...opts, name: plan.name });
}

/** Copy a file or directory of the guest to the host, or write it as an archive, as `docker cp` does. */
export async function copyOut(
  udsPath: string,
  guestPath: string,
  to: string | Writable,
  opts: CopyOptions = {},
): Promise<void> {
  const source = await guestEnd(udsPath, guestPath, opts);
  if (typeof to !== "string") {
    if (source.own === "missing") throw new FilesError("FILES_TRANSFER_FAILED", gone(guestPath));
    const name = meansContents(guestPath) ? undefined : posix.basename(guestPath);
    return receiveArchive(udsPath, guestPath, to, { ...opts, name });
  }
  checkText(to, ...(opts.excludes ?? []));
  const parent = hostEnd(dirname(resolve(to)));
  const plan = planCopy(source, hostEnd(to), parent.meant);
  const directory = absolute(plan.directory);
  await receiveTree(udsPath, guestPath, directory, { ...opts, name: plan.name });
}

/** Resolved, but with the slash at its end, which makes the system go through a link. */
function absolute(path: string): string {
  const resolved = resolve(path);
  return path.endsWith("/") && resolved !== "/" ? `${resolved}/` : resolved;
}

function hostEnd(path: string): CopyEnd {
  const quiet = { throwIfNoEntry: false } as const;
  return {
    path,
    own: kindOf(lstatSync(resolve(path), quiet)),
    meant: kindOf(statSync(resolve(path), quiet)),
  };
}

async function guestEnd(udsPath: string, path: string, opts: TransferOptions): Promise<CopyEnd> {
  return { path, ...(await statInGuest(udsPath, statRequest(path), opts)) };
}

function kindOf(stat: Stats | undefined): Kind {
  if (stat === undefined) return "missing";
  if (stat.isDirectory()) return "directory";
  if (stat.isFile()) return "file";
  return stat.isSymbolicLink() ? "link" : "other";
}

const gone = (path: string): string => `${path} does not exist`;

function noDirectory(path: string): FilesError {
  return new FilesError("FILES_TRANSFER_FAILED", `${path} is not a directory in the guest`);
}

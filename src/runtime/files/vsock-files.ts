import { statSync } from "node:fs";
import { resolve } from "node:path";
import { FilesError } from "../errors.ts";
import { checkText } from "./archive-process.ts";
import { receiveTree, sendTree } from "./transfer.ts";

export interface VsockFilesOptions {
  /** How long the guest may take to answer; until then failing connections are retried. Default 5000 ms. */
  timeoutMs?: number;
  /** Longest pause between two attempts. Default 250 ms. */
  retryMs?: number;
  /**
   * Leave out what these shell patterns match, by the rules of `tar --exclude`: a pattern may match the whole
   * path or its end after a slash, and takes what lies below with it; `*` matches slashes too.
   */
  excludes?: string[];
  /**
   * Keep owner and group (as numbers) and the access control lists that name them; to the guest also device nodes,
   * file capabilities and the setuid and setgid bits, to the host as far as this user may. Default false: what is
   * copied belongs to root in the guest, to this user on the host.
   */
  owner?: boolean;
  /** Ends the transfer; files that are not whole are not left behind. The call rejects with its reason. */
  signal?: AbortSignal;
}

/**
 * Copy what `hostDir` holds to `guestPath`, which is made if need be. What has the same name there is replaced;
 * a directory is filled up. Links are copied as links, extended attributes
 * as far as they are `user.*` (see `owner` for others) and the guest's file system has any. A link in the guest that leads to a directory inside
 * `guestPath` is gone through where the tree has a directory.
 *
 * Resolves when the guest has made all of it. When some members cannot be read or made the others are
 * copied all the same, and the error names the first of them.
 *
 * @throws {FilesError} FILES_HOST_DIR_NOT_FOUND | FILES_AGENT_UNAVAILABLE (retryable) | FILES_TRANSFER_FAILED
 */
async function push(
  udsPath: string,
  hostDir: string,
  guestPath: string,
  opts: VsockFilesOptions = {},
): Promise<void> {
  const directory = resolve(hostDir);
  checkText(directory, ...(opts.excludes ?? []));
  if (kindOf(directory) !== "directory") {
    throw new FilesError(
      "FILES_HOST_DIR_NOT_FOUND",
      `${directory} ${kindOf(directory) === "missing" ? "does not exist" : "is not a directory"}`,
    );
  }
  await sendTree(udsPath, directory, guestPath, opts);
}

/**
 * Copy what `guestPath` holds into `hostDir`, which is made if need be. Whatever the guest sends, nothing outside
 * `hostDir` is made or changed, and no link below it is followed, old or new. Devices are refused, setuid and
 * setgid bits and file capabilities dropped. Of extended attributes those are kept that are `user.*`, but for those
 * by which overlay file systems and rootless containers take one file for another. Links are made as the guest has them: do not follow them without a look.
 *
 * @throws {FilesError} FILES_HOST_DIR_NOT_FOUND | FILES_AGENT_UNAVAILABLE (retryable) | FILES_TRANSFER_FAILED
 */
async function pull(
  udsPath: string,
  guestPath: string,
  hostDir: string,
  opts: VsockFilesOptions = {},
): Promise<void> {
  const directory = resolve(hostDir);
  checkText(directory, ...(opts.excludes ?? []));
  if (kindOf(directory) === "other") {
    throw new FilesError("FILES_HOST_DIR_NOT_FOUND", `${directory} is not a directory`);
  }
  await receiveTree(udsPath, guestPath, directory, opts);
}

function kindOf(path: string): "missing" | "directory" | "other" {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? "missing" : stat.isDirectory() ? "directory" : "other";
}

/** The guest's files service behind the unix socket `udsPath`. */
export const VsockFiles = { push, pull } as const;

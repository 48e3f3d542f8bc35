import { existsSync } from "node:fs";
import { posix } from "node:path";
import { FilesError } from "../errors.ts";
import { copyIn } from "../files/index.ts";
import { filesSocket } from "../machine/guest-files.ts";
import type { VmHandle } from "../machine/index.ts";
import { readEntry } from "../registry/index.ts";
import { shellQuote } from "../shell-quote.ts";

/** A file or directory of the host, and where it goes in the guest. */
export interface FileCopy {
  host: string;
  guest: string;
}

/** Before minutes are spent on a build. @throws {FilesError} FILES_HOST_DIR_NOT_FOUND */
export function checkCopies(copies: readonly FileCopy[]): void {
  for (const { host } of copies) {
    if (!existsSync(host)) {
      throw new FilesError("FILES_HOST_DIR_NOT_FOUND", `${host} cannot be copied: it is not there`);
    }
  }
}

/** As `docker cp` does, but the directories that lead to a place are made. */
export async function copyFiles(
  vm: VmHandle,
  copies: readonly FileCopy[],
  signal: AbortSignal,
): Promise<void> {
  for (const { host, guest } of copies) {
    const parent = guest.endsWith("/") ? guest : posix.dirname(guest);
    await vm.exec(`mkdir -p -- ${shellQuote(parent)}`);
    const entry = readEntry(vm.pid);
    if (entry) await copyIn(filesSocket(entry), host, guest, { signal });
  }
}

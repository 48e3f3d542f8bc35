import { randomBytes } from "node:crypto";
import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import type { FileTree } from "./file-tree.ts";

/** Write the tree as a cpio. The file appears whole or not at all; only its owner can read it. */
export function writeInitramfs(
  tree: FileTree,
  out: string,
  maxBytes = Number.POSITIVE_INFINITY,
): void {
  const staged = `${out}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const fd = openSync(staged, "wx", 0o600);
  try {
    let total = 0;
    for (const chunk of tree.toCpio()) {
      total += chunk.length;
      if (total > maxBytes) throw new InitramfsTooLarge(maxBytes);
      for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
    }
    closeSync(fd);
    renameSync(staged, out);
  } catch (error) {
    rmSync(staged, { force: true });
    throw error;
  }
}

export class InitramfsTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`it is larger than ${maxBytes} bytes`);
  }
}

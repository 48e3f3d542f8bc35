import { createHash } from "node:crypto";
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";

/** Feed a file into a hash piece by piece, however large it is. */
export function hashFile(path: string | Buffer): string {
  const hash = createHash("sha256");
  const buffer = Buffer.alloc(1024 * 1024);
  const fd = openSync(path, "r");
  try {
    for (;;) {
      const read = readSync(fd, buffer);
      if (read === 0) return hash.digest("hex");
      hash.update(buffer.subarray(0, read));
    }
  } finally {
    closeSync(fd);
  }
}

/**
 * sha256 over everything in a directory that shows in an image of it: relative path, mode, size,
 * mtime, and content or link target.
 */
export function hashTree(root: string): string {
  const hash = createHash("sha256");
  const visit = (path: Buffer, relative: string): void => {
    const stat = lstatSync(path, { bigint: true });
    const shown = [relative, stat.mode, stat.uid, stat.gid, stat.size, stat.mtimeNs].map(String);
    if (stat.isSymbolicLink())
      shown.push(readlinkSync(path, { encoding: "buffer" }).toString("latin1"));
    else if (stat.isFile()) shown.push(hashFile(path));
    hash.update(`${JSON.stringify(shown)}\n`);
    if (!stat.isDirectory()) return;
    const names = readdirSync(path, { encoding: "buffer" }).sort(Buffer.compare);
    for (const name of names) {
      const child = Buffer.concat([path, Buffer.from("/"), name]);
      visit(child, `${relative}/${name.toString("latin1")}`);
    }
  };
  visit(Buffer.from(root), "");
  return hash.digest("hex");
}

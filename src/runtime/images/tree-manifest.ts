import { createHash, type Hash } from "node:crypto";
import {
  type BigIntStats,
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from "node:fs";
import type { Work } from "./steps.ts";

const PIECE_BYTES = 1024 * 1024;

/** Feed a file into a hash piece by piece, however large it is. */
function* addFile(hash: Hash, path: string | Buffer, buffer: Buffer): Work<void> {
  const fd = openSync(path, "r");
  try {
    for (;;) {
      const read = readSync(fd, buffer);
      if (read === 0) return;
      hash.update(buffer.subarray(0, read));
      yield;
    }
  } finally {
    closeSync(fd);
  }
}

/** sha256 of a file's content. */
export function hashFile(path: string | Buffer): string {
  const hash = createHash("sha256");
  const reading = addFile(hash, path, Buffer.alloc(PIECE_BYTES));
  while (!reading.next().done);
  return hash.digest("hex");
}

/** What a directory holds, without the content of its files. */
export interface Manifest {
  nodes: Array<{ path: Buffer; relative: string; stat: BigIntStats }>;
  /** The same as long as nothing in the directory is touched. */
  stamp: string;
  /** When anything was last changed, ms since the epoch. */
  changedMs: number;
}

/** Everything in a directory (by its real path), in one order on every host. Names may be any bytes. */
export function* readManifest(root: string): Work<Manifest> {
  const nodes: Manifest["nodes"] = [];
  const hash = createHash("sha256");
  let changedNs = 0n;
  const waiting = [{ path: Buffer.from(root), relative: "" }];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const { path, relative } = node;
    const stat = lstatSync(path, { bigint: true });
    const { dev, ino, mode, size, mtimeNs, ctimeNs } = stat;
    const shown = [dev, ino, mode, size, mtimeNs, ctimeNs].map(String);
    hash.update(`${JSON.stringify([relative, ...shown])}\n`);
    if (ctimeNs > changedNs) changedNs = ctimeNs;
    nodes.push({ ...node, stat });
    if (!stat.isDirectory()) continue;
    const names = readdirSync(path, { encoding: "buffer" }).sort(Buffer.compare).reverse();
    for (const name of names) {
      waiting.push({
        path: Buffer.concat([path, Buffer.from("/"), name]),
        relative: `${relative}/${name.toString("latin1")}`,
      });
    }
    yield;
  }
  return { nodes, stamp: hash.digest("hex"), changedMs: Number(changedNs / 1_000_000n) };
}

/**
 * sha256 over everything that shows in an image of the directory: relative path, mode, size, mtime, and
 * content or link target. Owners do not show: in the guest everything is root's.
 */
export function* hashContents(manifest: Manifest): Work<string> {
  const hash = createHash("sha256");
  const buffer = Buffer.alloc(PIECE_BYTES);
  for (const { path, relative, stat } of manifest.nodes) {
    // How large a directory is depends on the file system it is on.
    const size = stat.isDirectory() ? 0n : stat.size;
    const shown = [relative, stat.mode, size, stat.mtimeNs].map(String);
    if (stat.isSymbolicLink()) {
      shown.push(readlinkSync(path, { encoding: "buffer" }).toString("latin1"));
    } else if (stat.isFile()) {
      const content = createHash("sha256");
      yield* addFile(content, path, buffer);
      shown.push(content.digest("hex"));
    }
    hash.update(`${JSON.stringify(shown)}\n`);
  }
  return hash.digest("hex");
}

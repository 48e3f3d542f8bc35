import { readNumbers, splitRecords } from "./records.ts";
import type { FileState, FileType } from "./types.ts";

const TYPES: Record<string, FileType> = {
  f: "file",
  d: "directory",
  l: "symlink",
  c: "character device",
  b: "block device",
  p: "fifo",
  s: "socket",
};

/** A file as the guest's kernel knows it: what two copies of one moment have in common until one is touched. */
export interface FileRecord extends FileState {
  path: string;
  /** Any change of the file or its properties moves it on; ns, as text: it does not fit a number. */
  changedAtNs: string;
  /** The same, in ms. */
  changedAt: number;
  modifiedAtNs: string;
  inode: string;
  device: string;
}

export interface FileInventory {
  files: Map<string, FileRecord>;
  unread: string[];
}

const MS_DIGITS = -6;
const milliseconds = (ns: string) => Number(ns.slice(0, MS_DIGITS) || 0);

/** The answer of `inventory files`. A row that makes no sense is skipped: the guest wrote it. */
export function parseFiles(bytes: Buffer): FileInventory {
  const files = new Map<string, FileRecord>();
  const unread: string[] = [];
  for (const [head = "", path = "", target = ""] of splitRecords(bytes, 3)) {
    if (head.startsWith("! ")) unread.push(path);
    const type = TYPES[head[0] ?? ""];
    const [mode = "", ...rest] = head.slice(2).split(" ");
    const numbers = readNumbers(rest.join(" "), 7);
    if (!type || !numbers || !/^[0-7]{1,4}$/.test(mode)) continue;
    const [uid, gid, size] = numbers as [number, number, number];
    const [modifiedAtNs, changedAtNs, inode, device] = rest.slice(3) as [
      string,
      string,
      string,
      string,
    ];
    files.set(path, {
      path,
      type,
      mode: Number.parseInt(mode, 8),
      uid,
      gid,
      size,
      modifiedAt: milliseconds(modifiedAtNs),
      modifiedAtNs,
      changedAt: milliseconds(changedAtNs),
      changedAtNs,
      inode,
      device,
      ...(type === "symlink" ? { target } : {}),
    });
  }
  return { files, unread };
}

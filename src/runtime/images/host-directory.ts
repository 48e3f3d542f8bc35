import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import {
  type FileTree,
  type Inode,
  normalize,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "./file-tree.ts";

export interface AddDirectoryOptions {
  /** Where in the tree the directory's content goes; default its root. */
  at?: string;
  /** Leave out a path (relative to the directory) and everything below it. */
  isExcluded?: (path: string) => boolean;
  /** Owner of every file in the guest; default: as on the host. */
  owner?: { uid: number; gid: number };
}

/**
 * Put a directory of the host into the tree. Names may be any bytes. Content is read when the tree
 * is written. Sockets are left out: they mean nothing in another machine.
 */
export function addHostDirectory(
  tree: FileTree,
  host: string,
  options: AddDirectoryOptions = {},
): void {
  const { at = "", isExcluded = () => false, owner } = options;
  const hardLinks = new Map<string, Inode>();

  const visit = (path: Buffer, relative: string): void => {
    if (relative !== "" && isExcluded(relative)) return;
    const stat = lstatSync(path);
    const key = `${stat.dev}:${stat.ino}`;
    const linked = stat.nlink > 1 ? hardLinks.get(key) : undefined;
    const type = stat.mode & S_IFMT;
    if (type === 0o140000) return;
    const inode: Inode = linked ?? {
      mode: stat.mode,
      uid: owner?.uid ?? stat.uid,
      gid: owner?.gid ?? stat.gid,
      mtime: Math.trunc(stat.mtimeMs / 1000),
    };
    if (type === S_IFREG) inode.read ??= () => readFileSync(path);
    else if (type === S_IFLNK) {
      const target = readlinkSync(path, { encoding: "buffer" });
      inode.read = () => target;
    } else if (type !== S_IFDIR) inode.rdev = [major(stat.rdev), minor(stat.rdev)];
    if (type !== S_IFDIR) hardLinks.set(key, inode);

    const target = normalize(`${at}/${relative}`);
    // The tree's own root keeps the owner and mode that the layers below gave it.
    if (target !== "" || type !== S_IFDIR) tree.put(target, inode);
    if (type !== S_IFDIR) return;
    for (const name of readdirSync(path, { encoding: "buffer" })) {
      const child = Buffer.concat([path, Buffer.from("/"), name]);
      const text = name.toString("latin1");
      visit(child, relative ? `${relative}/${text}` : text);
    }
  };
  visit(Buffer.from(host), "");
}

/** Linux packs a device number into one integer in this way (glibc's gnu_dev_major). */
const major = (rdev: number) => Math.floor(rdev / 256) & 0xfff;
const minor = (rdev: number) => (rdev & 0xff) | ((Math.floor(rdev / 4096) & 0xffffff00) >>> 0);

import { cpioHeader, cpioPadding, cpioTrailer } from "./cpio.ts";
import type { TarMember } from "./tar-reader.ts";

export const S_IFMT = 0o170000;
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;

const TYPE_BITS: Record<Exclude<TarMember["type"], "hardlink">, number> = {
  file: S_IFREG,
  directory: S_IFDIR,
  symlink: S_IFLNK,
  character: 0o020000,
  block: 0o060000,
  fifo: 0o010000,
};

/** As many symbolic links as Linux follows in one path. */
const MAX_LINKS = 40;

/** A file of any type. Two paths with the same Inode object are hard links of each other. */
export interface Inode {
  /** Type and permission bits, as in st_mode. */
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  rdev?: [major: number, minor: number];
  /** Content of a file or target of a symbolic link; called when it is written out. */
  read?: () => Buffer;
}

export function directory(mode = 0o755): Inode {
  return { mode: S_IFDIR | mode, uid: 0, gid: 0, mtime: 0 };
}

export function regularFile(content: Buffer | string, mode = 0o644): Inode {
  const data = typeof content === "string" ? Buffer.from(content) : content;
  return { mode: S_IFREG | mode, uid: 0, gid: 0, mtime: 0, read: () => data };
}

/** A tree of files held as paths, into which layers are put: later ones win. */
export class FileTree {
  readonly #inodes = new Map<string, Inode>();

  get(path: string): Inode | undefined {
    return this.#inodes.get(normalize(path));
  }

  paths(): string[] {
    return [...this.#inodes.keys()].sort();
  }

  /**
   * Put a file at a path. Symbolic links to directories in the path are followed within the tree,
   * so that a layer with `bin/x` lands in `usr/bin/x` of a base where `/bin` is a link.
   */
  put(path: string, inode: Inode): void {
    const parts = normalize(path).split("/");
    const name = parts.pop()!;
    const parent = this.#makeDirectories(parts);
    const full = parent && name ? `${parent}/${name}` : name;
    const present = this.#inodes.get(full);
    if (isDirectory(inode)) {
      if (present && isLink(present) && this.#resolveDirectory(full) !== undefined) return;
    } else if (present && isDirectory(present)) {
      this.remove(full);
    }
    this.#inodes.set(full, inode);
  }

  /** Remove a file, or a directory with everything below it. */
  remove(path: string): void {
    const full = normalize(path);
    this.#inodes.delete(full);
    for (const other of this.#inodes.keys())
      if (other.startsWith(`${full}/`)) this.#inodes.delete(other);
  }

  /** Put every member of a tar archive into the tree. */
  addTar(members: Iterable<TarMember>): void {
    for (const member of members) {
      if (member.type === "hardlink") {
        const target = this.get(member.target) ?? this.get(this.#followed(member.target));
        if (!target || isDirectory(target))
          throw new Error(`hard link ${member.path} to ${member.target}, which is not there`);
        this.put(member.path, target);
        continue;
      }
      const { mode, uid, gid, mtime, rdev, data, target } = member;
      const bits = TYPE_BITS[member.type];
      const content = member.type === "symlink" ? Buffer.from(target, "latin1") : data;
      this.put(member.path, {
        mode: bits | mode,
        uid,
        gid,
        mtime,
        rdev: member.type === "character" || member.type === "block" ? rdev : undefined,
        read: bits === S_IFREG || bits === S_IFLNK ? () => content : undefined,
      });
    }
  }

  /** The tree as a newc archive: parents first, otherwise by name; the same tree gives the same bytes. */
  *toCpio(): Generator<Buffer> {
    const links = new Map<Inode, number>();
    for (const inode of this.#inodes.values()) links.set(inode, (links.get(inode) ?? 0) + 1);
    const left = new Map(links);
    const numbers = new Map<Inode, number>();
    for (const path of this.paths()) {
      const inode = this.#inodes.get(path)!;
      if (!numbers.has(inode)) numbers.set(inode, numbers.size + 1);
      left.set(inode, left.get(inode)! - 1);
      // Of hard links the last one carries the data, as GNU cpio does and the kernel expects.
      const data = left.get(inode) === 0 ? inode.read?.() : undefined;
      yield cpioHeader({
        name: path || ".",
        mode: inode.mode,
        uid: inode.uid,
        gid: inode.gid,
        mtime: inode.mtime,
        size: data?.length ?? 0,
        inode: numbers.get(inode)!,
        links: isDirectory(inode) ? 2 : links.get(inode)!,
        rdev: inode.rdev,
      });
      if (data) {
        yield data;
        yield cpioPadding(data.length);
      }
    }
    yield cpioTrailer();
  }

  /** The path of a directory after following links, made where it is missing. */
  #makeDirectories(parts: string[]): string {
    let current = "";
    for (const part of parts) {
      const next = current ? `${current}/${part}` : part;
      const resolved = this.#resolveDirectory(next);
      if (resolved === undefined) {
        if (this.#inodes.has(next)) this.remove(next);
        this.#inodes.set(next, directory());
      }
      current = resolved ?? next;
    }
    return current;
  }

  /** Where a path leads when it is a directory or a chain of links to one. */
  #resolveDirectory(path: string, links = { left: MAX_LINKS }): string | undefined {
    const inode = this.#inodes.get(path);
    if (path === "" || (inode && isDirectory(inode))) return path;
    if (!inode || !isLink(inode) || links.left-- <= 0) return undefined;
    const target = inode.read!().toString("latin1");
    const from = target.startsWith("/") ? [] : path.split("/").slice(0, -1);
    let current = from.join("/");
    for (const part of target.split("/")) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        current = current.split("/").slice(0, -1).join("/");
        continue;
      }
      const resolved = this.#resolveDirectory(current ? `${current}/${part}` : part, links);
      if (resolved === undefined) return undefined;
      current = resolved;
    }
    return current;
  }

  #followed(path: string): string {
    const parts = normalize(path).split("/");
    const name = parts.pop()!;
    const parent = this.#resolveDirectory(parts.join("/")) ?? parts.join("/");
    return parent ? `${parent}/${name}` : name;
  }
}

/** A path without leading, doubled or trailing slashes and without `.`; `..` is refused. */
export function normalize(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || path.includes("\0"))
    throw new Error(`path ${JSON.stringify(path)} leaves the tree`);
  return parts.join("/");
}

const isDirectory = (inode: Inode) => (inode.mode & S_IFMT) === S_IFDIR;
const isLink = (inode: Inode) => (inode.mode & S_IFMT) === S_IFLNK;

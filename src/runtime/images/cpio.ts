/** One member of a newc archive. Names are byte strings (latin1), as file systems have them. */
export interface CpioMember {
  name: string;
  /** Permission and type bits, as in st_mode. */
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since the epoch. */
  mtime: number;
  size: number;
  inode: number;
  links: number;
  rdev?: [major: number, minor: number];
}

/** newc has eight hexadecimal digits for a size. */
export const MAX_MEMBER_BYTES = 0xffffffff;

/** A member's header and name, padded so that its data may follow. */
export function cpioHeader(member: CpioMember): Buffer {
  const name = Buffer.from(member.name, "latin1");
  if (member.size > MAX_MEMBER_BYTES) throw new Error(`${member.name} is too large for a cpio`);
  const [major, minor] = member.rdev ?? [0, 0];
  const fields = [
    member.inode,
    member.mode,
    member.uid,
    member.gid,
    member.links,
    Math.min(Math.max(Math.trunc(member.mtime), 0), 0xffffffff),
    member.size,
    0, // the device the file was on: all ours are on the same
    0,
    major,
    minor,
    name.length + 1,
    0, // no checksum in this format
  ];
  const digits = fields.map((field) => (field >>> 0).toString(16).padStart(8, "0")).join("");
  const header = Buffer.alloc(padded(110 + name.length + 1));
  header.write(`070701${digits}`, 0, "latin1");
  name.copy(header, 110);
  return header;
}

/** What follows a member's data, so that the next header is aligned. */
export function cpioPadding(size: number): Buffer {
  return Buffer.alloc(padded(size) - size);
}

/** The end of an archive. Its length is a multiple of four, so that another archive may follow. */
export function cpioTrailer(): Buffer {
  const root = { mode: 0, uid: 0, gid: 0, mtime: 0, size: 0, inode: 0, links: 1 };
  return cpioHeader({ ...root, name: "TRAILER!!!" });
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

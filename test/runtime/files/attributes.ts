import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { packageRoot } from "../../../src/runtime/package-root.ts";

/** An access control list as the kernel holds it: the user `uid` may read, besides owner (rw) and group (r). */
export function accessList(uid: number): string {
  const bytes = Buffer.alloc(4 + 5 * 8);
  bytes.writeUInt32LE(2, 0);
  const entries = [
    [0x01, 6, 0xffffffff],
    [0x02, 4, uid],
    [0x04, 4, 0xffffffff],
    [0x10, 4, 0xffffffff],
    [0x20, 0, 0xffffffff],
  ] as const;
  for (const [index, [tag, permissions, id]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + index * 8);
    bytes.writeUInt16LE(permissions, 6 + index * 8);
    bytes.writeUInt32LE(id, 8 + index * 8);
  }
  return bytes.toString("latin1");
}

/** `cap_net_raw=ep`, as the kernel holds it. */
export const CAPABILITY = Buffer.from("0100000200200000000000000000000000000000", "hex").toString(
  "latin1",
);

/**
 * Attributes below a directory, by path and name. GNU tar tells of all but access control lists, which our own
 * packer adds.
 */
export function attributesOf(directory: string): Record<string, Record<string, string>> {
  const flags = [
    "--xattrs",
    "--xattrs-include=*",
    "--format=pax",
    "-C",
    directory,
    "-cf",
    "-",
    ".",
  ];
  const options = { maxBuffer: 1 << 26 };
  const found: Record<string, Record<string, string>> = {};
  const own = join(packageRoot(), "archive/build/machinen-archive");
  for (const archive of [
    execFileSync("tar", flags, options),
    execFileSync(own, ["pack", directory], options),
  ]) {
    for (const { path, records } of members(archive)) {
      for (const [key, value] of Object.entries(records)) {
        const name = /^SCHILY\.xattr\.(.*)$/s.exec(key)?.[1];
        if (name === undefined) continue;
        const decoded = name.replaceAll("%3D", "=").replaceAll("%25", "%");
        found[path.replace(/\/$/, "")] ??= {};
        found[path.replace(/\/$/, "")]![decoded] = value;
      }
    }
  }
  return found;
}

/** The members of an archive of short paths, with the pax records before each. */
function members(archive: Buffer): Array<{ path: string; records: Record<string, string> }> {
  const all = [];
  let records: Record<string, string> = {};
  for (let at = 0; archive[at] !== 0; ) {
    const size = Number.parseInt(archive.toString("latin1", at + 124, at + 136), 8);
    const data = archive.subarray(at + 512, at + 512 + size);
    if (archive.toString("latin1", at + 156, at + 157) === "x") records = parse(data);
    else {
      const path = archive.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
      all.push({ path, records });
      records = {};
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return all;
}

function parse(data: Buffer): Record<string, string> {
  const records: Record<string, string> = {};
  for (let text = data.toString("latin1"); text !== ""; ) {
    const length = Number.parseInt(text, 10);
    const [, key, value] = /^\d+ ([^=]*)=(.*)\n$/s.exec(text.slice(0, length))!;
    records[key!] = value!;
    text = text.slice(length);
  }
  return records;
}

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { isExecutableFile } from "../executable.ts";

/** `sbin` is often not in a user's PATH, and Homebrew keeps e2fsprogs out of it. */
const E2FSPROGS = [
  "/usr/sbin",
  "/sbin",
  "/opt/homebrew/opt/e2fsprogs/sbin",
  "/usr/local/opt/e2fsprogs/sbin",
];

/** The mke2fs program: `MACHINEN_MKE2FS`, else from PATH or the usual places, else undefined. */
export function resolveMke2fs(): string | undefined {
  // The same program under the name by which mkfs finds it; some systems have only that one.
  const override = process.env.MACHINEN_MKE2FS;
  return findTool("mke2fs", override, E2FSPROGS) ?? findTool("mkfs.ext4", override, E2FSPROGS);
}

/** The e2fsck program from PATH or the usual places, else undefined. */
export function findE2fsck(): string | undefined {
  return findTool("e2fsck", undefined, E2FSPROGS);
}

/** The mksquashfs program: `MACHINEN_MKSQUASHFS`, else from PATH or the usual places. */
export function resolveMksquashfs(): string | undefined {
  return findTool("mksquashfs", process.env.MACHINEN_MKSQUASHFS, [
    "/usr/bin",
    "/opt/homebrew/opt/squashfs/bin",
    "/usr/local/opt/squashfs/bin",
  ]);
}

/** The mmdebstrap program from PATH, else undefined. */
export function findMmdebstrap(): string | undefined {
  return findTool("mmdebstrap", undefined, []);
}

function findTool(name: string, override: string | undefined, more: string[]): string | undefined {
  if (override) return existsSync(override) ? override : undefined;
  const directories = [...(process.env.PATH ?? "").split(delimiter).filter(Boolean), ...more];
  return directories.map((directory) => join(directory, name)).find(isExecutableFile);
}

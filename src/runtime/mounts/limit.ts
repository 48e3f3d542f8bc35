import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { cacheLimitBytes } from "../cache-limit.ts";
import { cacheDir, mountdiskImgCacheDir, sweepImageStaging } from "../images/index.ts";
import { liveEntries } from "../registry/index.ts";
import { selectEvictions } from "../templates/limit.ts";

const DEFAULT_LIMIT_MIB = 8192;
const IMAGE = /^([0-9a-f]{64}\.sqfs|upper-\d+\.img)$/;

/** A packed directory, or an empty writable layer, in the cache. */
export interface StoredMountImage {
  key: string;
  path: string;
  /** What it takes on the disk. */
  bytes: number;
  usedAtMs: number;
}

/** `MACHINEN_MOUNTDISK_MAX_MIB`, else 8 GiB. */
export function mountLimitBytes(env: NodeJS.ProcessEnv = process.env): number {
  return cacheLimitBytes(env.MACHINEN_MOUNTDISK_MAX_MIB, DEFAULT_LIMIT_MIB);
}

function listImages(): StoredMountImage[] {
  const caches = cacheDir(mountdiskImgCacheDir());
  return readdirSync(caches)
    .filter((name) => IMAGE.test(name))
    .flatMap((name) => {
      const path = join(caches, name);
      const stat = statSync(path, { throwIfNoEntry: false });
      // The note is written anew for every user of the image.
      const note = statSync(`${path}.handed-out`, { throwIfNoEntry: false }) ?? stat;
      if (!stat || !note) return [];
      return [{ key: path, path, bytes: stat.blocks * 512, usedAtMs: note.mtimeMs }];
    });
}

/** Those that live machines started from. They have them open, so that removing one would free nothing yet. */
function pathsInUse(): Set<string> {
  return new Set(
    liveEntries().flatMap(({ mountDisk }) =>
      mountDisk ? [mountDisk.lowerPath, mountDisk.upperPath] : [],
    ),
  );
}

function discard(path: string): void {
  for (const file of [path, `${path}.ok`, `${path}.handed-out`]) rmSync(file, { force: true });
}

/** Keep the cache within its limit: the least recently used go first, never one in use. */
export function enforceMountLimit(): void {
  const images = listImages();
  const limit = mountLimitBytes();
  if (images.reduce((sum, { bytes }) => sum + bytes, 0) <= limit) return;
  for (const { path } of selectEvictions(images, limit, pathsInUse(), Date.now())) discard(path);
}

/** Remove every image no machine started from, or is about to. They are made again when they are needed. */
export function collectMountImages(
  opts: { dryRun?: boolean } = {},
): Array<{ path: string; bytes: number }> {
  const unused = selectEvictions(listImages(), -1, pathsInUse(), Date.now());
  if (!opts.dryRun) {
    sweepImageStaging(mountdiskImgCacheDir());
    for (const { path } of unused) discard(path);
  }
  return unused.map(({ path, bytes }) => ({ path, bytes }));
}

import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { cacheLimitBytes } from "../cache-limit.ts";
import { readProcess } from "../registry/process.ts";

/*
 * <cache>/<sha256>.img, <sha256>-<bytes>.img: a disk of the usual size or of a smaller one, `.img.ok` and `.img.handed-out`: its marks (image-marks.ts; the second is written at
 * every use), `<key>.sha256`: which disk a tarball has, `.staging-<pid>-*`: one in the making.
 */

const DEFAULT_LIMIT_MIB = 8192;
/** Who was handed an image opens it within this time; afterwards its name is not needed. */
const GRACE_MS = 5 * 60_000;

export interface CachedImage {
  path: string;
  /** What it takes on the disk. */
  bytes: number;
  usedAtMs: number;
}

/** `MACHINEN_ROOTFS_MAX_MIB`, else 8 GiB. */
export function imagesLimitBytes(env: NodeJS.ProcessEnv = process.env): number {
  return cacheLimitBytes(env.MACHINEN_ROOTFS_MAX_MIB, DEFAULT_LIMIT_MIB);
}

function listNames(caches: string): string[] {
  try {
    return readdirSync(caches);
  } catch {
    return []; // there is no cache yet
  }
}

/** Every image in the cache. One whose disk a template shares costs nothing more while that is there. */
export function listImages(caches: string): CachedImage[] {
  return listNames(caches)
    .filter((name) => /^[0-9a-f]{64}(-\d+)?\.img$/.test(name))
    .flatMap((name) => {
      const path = join(caches, name);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (!stat) return [];
      const used = statSync(`${path}.handed-out`, { throwIfNoEntry: false });
      return [{ path, bytes: stat.blocks * 512, usedAtMs: used?.mtimeMs ?? stat.mtimeMs }];
    });
}

/** Which images must go for the rest to fit: the least recently used first, none just handed out. Pure. */
export function selectImages(
  images: readonly CachedImage[],
  limitBytes: number,
  nowMs: number,
): CachedImage[] {
  let total = images.reduce((sum, { bytes }) => sum + bytes, 0);
  const selected: CachedImage[] = [];
  for (const image of [...images].sort((a, b) => a.usedAtMs - b.usedAtMs)) {
    if (total <= limitBytes) break;
    if (nowMs - image.usedAtMs < GRACE_MS) continue;
    selected.push(image);
    total -= image.bytes;
  }
  return selected;
}

/** Machines that run from an image have it open and keep it. */
function removeImage(path: string): void {
  for (const suffix of ["", ".ok", ".handed-out"]) rmSync(`${path}${suffix}`, { force: true });
}

/** What builders that died left, and marks and notes of images that are gone. */
function leftovers(caches: string): string[] {
  const names = new Set(listNames(caches));
  const isLeft = (name: string): boolean => {
    const builder = /^\.staging-(\d+)-/.exec(name)?.[1];
    if (builder !== undefined) return readProcess(Number(builder)) === undefined;
    const marked = /^([0-9a-f]{64}(?:-\d+)?\.img)\.(ok|handed-out)$/.exec(name)?.[1];
    if (marked !== undefined) return !names.has(marked);
    if (!name.endsWith(".sha256")) return false;
    try {
      return !names.has(`${readFileSync(join(caches, name), "utf8")}.img`);
    } catch {
      return false;
    }
  };
  return [...names].filter(isLeft).map((name) => join(caches, name));
}

/** Keep the cache within its limit. To be called after it has grown; never throws. */
export function enforceImagesLimit(caches: string): void {
  try {
    for (const { path } of selectImages(listImages(caches), imagesLimitBytes(), Date.now())) {
      removeImage(path);
    }
    for (const path of leftovers(caches)) rmSync(path, { recursive: true, force: true });
  } catch {
    // Another process tidies at the same time, or the cache is not ours to write: it costs room only.
  }
}

export interface RemovedImage {
  path: string;
  bytes: number;
}

/** Remove every image that was not handed out in the last minutes. They are made again when they are needed. */
export function collectImages(caches: string, opts: { dryRun?: boolean } = {}): RemovedImage[] {
  const unused = selectImages(listImages(caches), -1, Date.now());
  if (!opts.dryRun) for (const { path } of unused) removeImage(path);
  const left = leftovers(caches);
  if (!opts.dryRun) for (const path of left) rmSync(path, { recursive: true, force: true });
  return [...unused, ...left.map((path) => ({ path, bytes: 0 }))].map(({ path, bytes }) => ({
    path,
    bytes,
  }));
}

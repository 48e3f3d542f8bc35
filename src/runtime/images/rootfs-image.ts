import { randomBytes } from "node:crypto";
import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { ErrorCode, ProvisionError } from "../errors.ts";
import { type Ext4Command, planExt4, runExt4, runExt4Sync } from "./build-ext4.ts";
import { cacheDir, cacheRoot, statKey } from "./cache-dir.ts";
import { isSoundExt4 } from "./check-ext4.ts";
import { handOut, isReleased, isUntouched, isUsable, markClean } from "./image-marks.ts";
import { enforceImagesLimit } from "./rootfs-cache.ts";
import { hashFile } from "./tree-manifest.ts";

/** Of an image that is not asked for in another size. */
export const SMALLEST_ROOTFS_BYTES = 2 * 1024 * 1024 * 1024;

export interface EnsureRootfsImageOptions {
  /** Where images are kept; default `rootfsImgCacheDir()`. */
  cacheDir?: string;
  /** Build the image even when there is one. */
  force?: boolean;
  /** Size of the file system in units of the unpacked tarball; default 2.5. */
  sizeMultiplier?: number;
  /** Smallest file system, in bytes; default 2 GiB. Unused room costs nothing: the file is sparse. */
  minSizeBytes?: number;
  /** Exact size in bytes; a smaller image in the cache is extended (the guest grows the file system). */
  sizeBytes?: number;
  /**
   * Told the milliseconds of each step: `sha256`, `e2fsck` (of an image somebody has written to), `sparse-extend`,
   * `gunzip-prebake` (of a tarball that is compressed with gzip: beside `tar-extract`, which takes as long or longer),
   * `tar-extract`, `mke2fs`.
   */
  onPhase?: (name: string, ms: number) => void;
}

/** Default place of cached root images: `~/.cache/machinen/rootfs`. */
export function rootfsImgCacheDir(): string {
  return join(cacheRoot(), "rootfs");
}

/**
 * Say that an image handed out by `ensureRootfsImage` was released whole: without this mark it is built again
 * when it is next asked for. Does nothing when there is no such image. Never throws.
 */
export function markRootfsImageClean(imgPath: string): void {
  markClean(imgPath);
}

/**
 * The ext4 image of a rootfs tarball, from the cache or built now. The image is known by the
 * tarball's sha256; it appears in the cache whole or not at all. It is handed out without its
 * `.ok` mark: see `markRootfsImageClean`. One that was written to and then marked is checked before it is
 * handed out again, and built again when it is damaged. Our machines read images through overlays and leave
 * them unchanged, so that any number of them may share one.
 *
 * @throws {ProvisionError} ROOTFS_IMG_TOOL_MISSING | PROVISION_BASE_NOT_FOUND |
 * PROVISION_INSTALL_HOOK_FAILED
 */
export function ensureRootfsImage(tarPath: string, opts: EnsureRootfsImageOptions = {}): string {
  const work = planImage(tarPath, opts, isReleased);
  if (!work.command) return work.image;
  try {
    return finish(work, opts, runExt4Sync(work.command));
  } finally {
    rmSync(work.command.request.staging, { recursive: true, force: true });
  }
}

interface SharedImageOptions extends EnsureRootfsImageOptions {
  /** An image that has `sizeBytes` and no more, beside the one of the usual size. */
  exact?: boolean;
}

/**
 * The same for users that will not write to it and may share it with others like them, without blocking the
 * event loop while it is built.
 */
export async function ensureRootfsImageAsync(
  tarPath: string,
  opts: SharedImageOptions = {},
): Promise<string> {
  const work = planImage(tarPath, opts, isUsable);
  if (!work.command) return work.image;
  try {
    return finish(work, opts, await runExt4(work.command));
  } finally {
    rmSync(work.command.request.staging, { recursive: true, force: true });
  }
}

interface ImageWork {
  image: string;
  /** Absent: the image is there. */
  command?: Ext4Command;
}

/** A file system that somebody has written to may be damaged, whatever they say of it. */
function isWhole(image: string, opts: EnsureRootfsImageOptions): boolean {
  return isUntouched(image) || timed(opts, "e2fsck", () => isSoundExt4(image));
}

function planImage(
  tarPath: string,
  opts: SharedImageOptions,
  isFit: (image: string) => boolean,
): ImageWork {
  if (!statSync(tarPath, { throwIfNoEntry: false })?.isFile()) {
    throw new ProvisionError(
      ErrorCode.PROVISION_BASE_NOT_FOUND,
      `there is no rootfs tarball at ${tarPath}`,
    );
  }
  const caches = cacheDir(opts.cacheDir ?? rootfsImgCacheDir());
  const digest = timed(opts, "sha256", () => contentDigest(tarPath, caches));
  const image = join(caches, `${digest}${opts.exact ? `-${opts.sizeBytes}` : ""}.img`);
  if (!opts.force && isFit(image) && isWhole(image, opts)) {
    return { image: release(image, opts) };
  }
  const staging = join(caches, `.staging-${process.pid}-${randomBytes(4).toString("hex")}`);
  const {
    sizeMultiplier: multiplier = 2.5,
    minSizeBytes: minBytes = SMALLEST_ROOTFS_BYTES,
    sizeBytes,
  } = opts;
  const request = {
    tarball: tarPath,
    staging,
    image: join(staging, "image"),
    size: sizeBytes === undefined ? { multiplier, minBytes } : { bytes: sizeBytes },
    uuid: digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5"),
  };
  const command = planExt4(request);
  mkdirSync(staging, { mode: 0o700 });
  return { image, command };
}

function finish(
  work: ImageWork,
  opts: EnsureRootfsImageOptions,
  phases: Map<string, number>,
): string {
  for (const [name, ms] of phases) opts.onPhase?.(name, ms);
  renameSync(work.command!.request.image, work.image);
  const image = release(work.image, opts);
  enforceImagesLimit(dirname(image));
  return image;
}

/** Give the image the wanted size and hand it out. */
function release(image: string, opts: EnsureRootfsImageOptions): string {
  const wanted = opts.sizeBytes ?? 0;
  if (statSync(image).size < wanted)
    timed(opts, "sparse-extend", () => truncateSync(image, wanted));
  handOut(image);
  return image;
}

/** sha256 of the tarball, remembered for as long as the file is not touched. */
function contentDigest(tarPath: string, caches: string): string {
  const memo = join(caches, `${statKey(tarPath)}.sha256`);
  try {
    const remembered = readFileSync(memo, "utf8");
    if (/^[0-9a-f]{64}$/.test(remembered)) return remembered;
  } catch {} // not seen before
  const digest = hashFile(tarPath);
  writeFileSync(memo, digest);
  return digest;
}

function timed<T>(opts: EnsureRootfsImageOptions, name: string, work: () => T): T {
  const began = performance.now();
  const result = work();
  opts.onPhase?.(name, performance.now() - began);
  return result;
}

import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { cacheDir, cacheRoot } from "./cache-dir.ts";
import { resolveMke2fs } from "./host-tools.ts";
import { handOut, isReleased, isUsable, markClean } from "./image-marks.ts";
import { packDirectory, runTool, stageImage, toolMissing } from "./pack-directory.ts";
import { runWork, runWorkAsync, type Work } from "./steps.ts";

export interface EnsureMountDiskImageOptions {
  /** Where images are kept; default `mountdiskImgCacheDir()`. */
  cacheDir?: string;
  /** Build the image even when there is one. */
  force?: boolean;
  /** Told the milliseconds of each step: `manifest-hash`, `mksquashfs`, `staging-rename`. */
  onPhase?: (name: string, ms: number) => void;
}

export interface EnsureMountDiskImageResult {
  /** The squashfs image: the read-only lower layer of the guest's mount. */
  lowerPath: string;
  /** sha256 over the directory's content, by which the image is known. */
  key: string;
}

export interface EnsureMountDiskUpperOptions {
  /** Default 4 GiB; the file is sparse. */
  sizeBytes?: number;
}

export interface EnsureMountDiskUpperResult {
  /** An empty ext4 image of one VM: the writable upper layer of its mount. */
  upperPath: string;
  sizeBytes: number;
}

/** What the writable layer of a mount may hold by default. */
export const DEFAULT_UPPER_BYTES = 4 * 1024 * 1024 * 1024;
/** A snapshot's upper layer must come back by itself: it has a journal, a small one, which is in every bundle. */
const JOURNAL_MIB = 16;
const SMALL_UPPER_BYTES = 256 * 1024 * 1024;

/** Default place of cached directory images: `~/.cache/machinen/mountdisk`. */
export function mountdiskImgCacheDir(): string {
  return join(cacheRoot(), "mountdisk");
}

/**
 * Say that an image from `ensureMountDiskImage` was released whole: without this mark it is built again when it is
 * next asked for. Never throws.
 */
export function markMountDiskImageClean(imgPath: string): void {
  markClean(imgPath);
}

function* ensureImage(
  hostAbs: string,
  opts: EnsureMountDiskImageOptions,
  isFit: (image: string) => boolean,
): Work<EnsureMountDiskImageResult> {
  const caches = cacheDir(opts.cacheDir ?? mountdiskImgCacheDir());
  const packed = yield* packDirectory(hostAbs, { ...opts, cacheDir: caches, isFit });
  handOut(packed.lowerPath);
  return packed;
}

/**
 * A squashfs image of a host directory, from the cache or built now; whole or absent, like
 * `ensureRootfsImage`, and handed out in the same way. The directory is only read. Everything in the image
 * belongs to root; modes, links and times are kept, extended attributes are not.
 *
 * @throws {BootError} BOOT_MOUNTDISK_TOOL_MISSING | BOOT_MOUNT_HOST_NOT_FOUND | BOOT_MOUNT_INVALID (also for
 * what may not be read, and, retryable, for a directory that keeps changing)
 * @throws {ProvisionError} PROVISION_INSTALL_HOOK_FAILED (`mksquashfs` failed, for want of room say)
 */
export function ensureMountDiskImage(
  hostAbs: string,
  opts: EnsureMountDiskImageOptions = {},
): EnsureMountDiskImageResult {
  return runWork(ensureImage(hostAbs, opts, isReleased));
}

/** The same for machines, which share images, without blocking the event loop while the directory is read and packed. */
export function ensureMountDiskImageAsync(
  hostAbs: string,
  opts: EnsureMountDiskImageOptions = {},
): Promise<EnsureMountDiskImageResult> {
  return runWorkAsync(ensureImage(hostAbs, opts, isUsable));
}

function* formatUpper(path: string, sizeBytes: number): Work<void> {
  const mke2fs = resolveMke2fs() ?? toolMissing("mke2fs", "e2fsprogs");
  const journal = sizeBytes < SMALL_UPPER_BYTES ? [] : ["-J", `size=${JOURNAL_MIB}`];
  writeFileSync(path, "", { mode: 0o600 });
  truncateSync(path, sizeBytes);
  yield* runTool(mke2fs, ["-t", "ext4", "-q", "-F", "-m", "0", ...journal, path]);
}

/**
 * A new, empty ext4 image in a temporary directory of its own, for what one VM writes over its
 * mount. The caller removes it with the VM.
 *
 * @throws {BootError} BOOT_MOUNTDISK_TOOL_MISSING
 * @throws {ProvisionError} PROVISION_INSTALL_HOOK_FAILED
 */
export function ensureMountDiskUpper(
  opts: EnsureMountDiskUpperOptions = {},
): EnsureMountDiskUpperResult {
  const sizeBytes = opts.sizeBytes ?? DEFAULT_UPPER_BYTES;
  const directory = mkdtempSync(resolve(tmpdir(), "machinen-mount-"));
  const upperPath = join(directory, "upper.img");
  try {
    runWork(formatUpper(upperPath, sizeBytes));
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  return { upperPath, sizeBytes };
}

function* ensureSharedUpper(sizeBytes: number): Work<string> {
  const caches = cacheDir(mountdiskImgCacheDir());
  const path = join(caches, `upper-${sizeBytes}.img`);
  if (!isUsable(path)) yield* stageImage(path, caches, (image) => formatUpper(image, sizeBytes));
  handOut(path);
  return path;
}

/**
 * An empty ext4 image, the same for all VMs: each of them sees an overlay of its own over it, so that nobody
 * ever writes to it and a boot need not make one.
 */
export function ensureSharedUpperAsync(sizeBytes: number): Promise<string> {
  return runWorkAsync(ensureSharedUpper(sizeBytes));
}

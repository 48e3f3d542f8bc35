import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BootError, ErrorCode, ProvisionError } from "../errors.ts";
import { cacheDir, cacheRoot } from "./cache-dir.ts";
import { resolveMke2fs, resolveMksquashfs } from "./host-tools.ts";
import { handOut, isUsable, markClean } from "./image-marks.ts";
import { hashTree } from "./tree-manifest.ts";

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

const DEFAULT_UPPER_BYTES = 4 * 1024 * 1024 * 1024;

/** Default place of cached directory images: `~/.cache/machinen/mountdisk`. */
export function mountdiskImgCacheDir(): string {
  return join(cacheRoot(), "mountdisk");
}

/** Say that an image from `ensureMountDiskImage` was released whole. Never throws. */
export function markMountDiskImageClean(imgPath: string): void {
  markClean(imgPath);
}

/**
 * A squashfs image of a host directory, from the cache or built now; whole or absent, like
 * `ensureRootfsImage`, and handed out in the same way.
 *
 * @throws {BootError} BOOT_MOUNTDISK_TOOL_MISSING | BOOT_MOUNT_HOST_NOT_FOUND | BOOT_MOUNT_INVALID
 * @throws {ProvisionError} PROVISION_INSTALL_HOOK_FAILED
 */
export function ensureMountDiskImage(
  hostAbs: string,
  opts: EnsureMountDiskImageOptions = {},
): EnsureMountDiskImageResult {
  const stat = statSync(hostAbs, { throwIfNoEntry: false });
  if (!stat)
    throw new BootError(ErrorCode.BOOT_MOUNT_HOST_NOT_FOUND, `there is no directory ${hostAbs}`);
  if (!stat.isDirectory())
    throw new BootError(ErrorCode.BOOT_MOUNT_INVALID, `${hostAbs} is not a directory`);
  const mksquashfs = resolveMksquashfs() ?? toolMissing("mksquashfs", "squashfs-tools");

  const caches = cacheDir(opts.cacheDir ?? mountdiskImgCacheDir());
  const key = timed(opts, "manifest-hash", () => hashTree(hostAbs));
  const lowerPath = join(caches, `${key}.sqfs`);
  if (opts.force || !isUsable(lowerPath)) {
    const staging = join(caches, `.staging-${process.pid}-${randomBytes(4).toString("hex")}`);
    mkdirSync(staging, { mode: 0o700 });
    try {
      const image = join(staging, "image");
      const args = [hostAbs, image, "-noappend", "-quiet", "-no-progress", "-comp", "zstd"];
      timed(opts, "mksquashfs", () => runTool(mksquashfs, [...args, "-Xcompression-level", "3"]));
      timed(opts, "staging-rename", () => renameSync(image, lowerPath));
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  }
  handOut(lowerPath);
  return { lowerPath, key };
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
  const mke2fs = resolveMke2fs() ?? toolMissing("mke2fs", "e2fsprogs");
  const sizeBytes = opts.sizeBytes ?? DEFAULT_UPPER_BYTES;
  const directory = mkdtempSync(join(tmpdir(), "machinen-mount-"));
  const upperPath = join(directory, "upper.img");
  try {
    writeFileSync(upperPath, "", { mode: 0o600 });
    truncateSync(upperPath, sizeBytes);
    const format = ["-t", "ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", upperPath];
    runTool(mke2fs, format);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  return { upperPath, sizeBytes };
}

function runTool(program: string, args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status === 0) return;
  const words = error?.message ?? stderr.trim().slice(-1000);
  throw new ProvisionError(ErrorCode.PROVISION_INSTALL_HOOK_FAILED, `${program} failed: ${words}`);
}

function toolMissing(program: string, packageName: string): never {
  throw new BootError(
    ErrorCode.BOOT_MOUNTDISK_TOOL_MISSING,
    `${program} was not found: run \`apt-get install ${packageName}\` as root`,
  );
}

function timed<T>(opts: EnsureMountDiskImageOptions, name: string, work: () => T): T {
  const began = performance.now();
  const result = work();
  opts.onPhase?.(name, performance.now() - began);
  return result;
}

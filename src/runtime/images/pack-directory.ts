import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { BootError, ErrorCode, ProvisionError } from "../errors.ts";
import { readProcess } from "../registry/process.ts";
import { resolveMksquashfs } from "./host-tools.ts";
import { recallDigest, rememberDigest } from "./remembered-digest.ts";
import type { Work } from "./steps.ts";
import { hashContents, type Manifest, readManifest } from "./tree-manifest.ts";

export interface PackOptions {
  cacheDir: string;
  force?: boolean;
  /** Whether an image in the cache can be used again. */
  isFit: (image: string) => boolean;
  onPhase?: (name: string, ms: number) => void;
}

const ATTEMPTS = 3;
/** A file changed twice within one tick of the file system's clock looks unchanged: such digests are not kept. */
const SETTLED_MS = 2000;
const STAGING = /^\.staging-(\d+)-/;

/**
 * Everything belongs to root in the guest, as with `docker cp`: the guest's users are not the host's. Extended
 * attributes stay behind, because those of the host's security modules and overlays mean something else there.
 */
const MKSQUASHFS = (
  "-noappend -quiet -no-progress -exit-on-error -all-root -no-xattrs -mkfs-time 0 -mem 256M " +
  "-comp zstd -Xcompression-level 3"
).split(" ");

/** Something in the directory went or came while it was read. */
class TreeChanged extends Error {}

/** What reading the user's directory fails with. */
function explain(error: unknown): never {
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") throw new TreeChanged(message);
  if (code !== "EACCES" && code !== "EPERM") throw error;
  const what = path === undefined ? message : String(path);
  throw new BootError(ErrorCode.BOOT_MOUNT_INVALID, `mount: ${what} may not be read by this user`, {
    cause: error,
  });
}

function* readTree<T>(work: Work<T>): Work<T> {
  try {
    return yield* work;
  } catch (error) {
    explain(error);
  }
}

function checkSource(host: string): string {
  const stat = statSync(host, { throwIfNoEntry: false });
  if (!stat)
    throw new BootError(ErrorCode.BOOT_MOUNT_HOST_NOT_FOUND, `there is no directory ${host}`);
  if (!stat.isDirectory())
    throw new BootError(ErrorCode.BOOT_MOUNT_INVALID, `${host} is not a directory`);
  return realpathSync(host);
}

function* contentKey(manifest: Manifest): Work<string> {
  const known = recallDigest(manifest.stamp);
  if (known !== undefined) return known;
  const startedMs = Date.now();
  const key = yield* readTree(hashContents(manifest));
  if (manifest.changedMs < startedMs - SETTLED_MS) rememberDigest(manifest.stamp, key);
  return key;
}

/** Remove what processes left that died while they built an image. */
export function sweepImageStaging(caches: string): void {
  for (const name of readdirSync(caches)) {
    const pid = STAGING.exec(name)?.[1];
    if (pid !== undefined && readProcess(Number(pid)) === undefined) {
      rmSync(join(caches, name), { recursive: true, force: true });
    }
  }
}

/** Have `build` write a file, which then appears at `path` whole, and survives a power cut. */
export function* stageImage(
  path: string,
  caches: string,
  build: (image: string) => Work<void>,
  onPhase?: (name: string, ms: number) => void,
): Work<void> {
  const staging = join(caches, `.staging-${process.pid}-${randomBytes(4).toString("hex")}`);
  sweepImageStaging(caches);
  mkdirSync(staging, { mode: 0o700 });
  try {
    const image = join(staging, "image");
    yield* build(image);
    const began = performance.now();
    yield { program: "sync", args: [image] };
    renameSync(image, path);
    onPhase?.("staging-rename", performance.now() - began);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Fails when the tool does; the words for a full disk are the system's own. */
export function* runTool(program: string, args: string[]): Work<void> {
  const outcome = yield { program, args };
  if (outcome?.status === 0) return;
  const words = outcome?.words.slice(-1000) || "it was ended by a signal";
  throw new ProvisionError(ErrorCode.PROVISION_INSTALL_HOOK_FAILED, `${program} failed: ${words}`);
}

export function toolMissing(program: string, packageName: string): never {
  throw new BootError(
    ErrorCode.BOOT_MOUNTDISK_TOOL_MISSING,
    `${program} was not found: run \`apt-get install ${packageName}\` as root`,
  );
}

/** One try: what is packed must be the same before and after. */
function* packOnce(
  source: string,
  mksquashfs: string,
  opts: PackOptions,
): Work<{ lowerPath: string; key: string }> {
  const began = performance.now();
  const manifest = yield* readTree(readManifest(source));
  const key = yield* contentKey(manifest);
  opts.onPhase?.("manifest-hash", performance.now() - began);
  const lowerPath = join(opts.cacheDir, `${key}.sqfs`);
  if (!opts.force && opts.isFit(lowerPath)) return { lowerPath, key };

  const build = function* (image: string): Work<void> {
    const packing = performance.now();
    let failure: unknown;
    try {
      yield* runTool(mksquashfs, [source, image, ...MKSQUASHFS]);
    } catch (error) {
      failure = error;
    }
    opts.onPhase?.("mksquashfs", performance.now() - packing);
    const after = yield* readTree(readManifest(source));
    if (after.stamp !== manifest.stamp) throw new TreeChanged("it was changed");
    if (failure) throw failure;
  };
  yield* stageImage(lowerPath, opts.cacheDir, build, opts.onPhase);
  return { lowerPath, key };
}

/**
 * The squashfs image of a directory, by its content, from the cache or built now.
 *
 * @throws {BootError} BOOT_MOUNTDISK_TOOL_MISSING | BOOT_MOUNT_HOST_NOT_FOUND | BOOT_MOUNT_INVALID (no
 * directory, not readable, or it kept changing; retryable then)
 * @throws {ProvisionError} PROVISION_INSTALL_HOOK_FAILED
 */
export function* packDirectory(
  host: string,
  opts: PackOptions,
): Work<{ lowerPath: string; key: string }> {
  for (let attempt = 1; ; attempt++) {
    const source = checkSource(host);
    const mksquashfs = resolveMksquashfs() ?? toolMissing("mksquashfs", "squashfs-tools");
    try {
      return yield* packOnce(source, mksquashfs, opts);
    } catch (error) {
      if (!(error instanceof TreeChanged)) throw error;
      if (attempt < ATTEMPTS) continue;
      throw new BootError(
        ErrorCode.BOOT_MOUNT_INVALID,
        `mount: ${host} kept changing while it was packed; try again when it is at rest`,
        { retryable: true, cause: error },
      );
    }
  }
}

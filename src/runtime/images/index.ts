export {
  initramfsInputs,
  type PackBootInitramfsOptions,
  packBootInitramfs,
} from "./boot-initramfs.ts";
export { cacheDir, cacheRoot } from "./cache-dir.ts";
export { contentDigest } from "./content-digest.ts";
export { resolveMke2fs, resolveMksquashfs } from "./host-tools.ts";
export { type ImageConfig, readImageConfig, warmImageConfigCache } from "./image-config.ts";
export {
  type PackBundleOptions,
  type PackMinimalOptions,
  type PackRootfsOptions,
  type PackTinyBundleOptions,
  type PackWorkspaceOptions,
  packBundle,
  packMinimal,
  packRootfs,
  packTinyBundle,
  packWorkspace,
} from "./mkinitramfs.ts";
export { cli } from "./mkinitramfs-cli.ts";
export {
  DEFAULT_UPPER_BYTES,
  type EnsureMountDiskImageOptions,
  type EnsureMountDiskImageResult,
  type EnsureMountDiskUpperOptions,
  type EnsureMountDiskUpperResult,
  ensureMountDiskImage,
  ensureMountDiskImageAsync,
  ensureMountDiskUpper,
  ensureSharedUpperAsync,
  markMountDiskImageClean,
  mountdiskImgCacheDir,
} from "./mountdisk-image.ts";
export { sweepImageStaging } from "./pack-directory.ts";
export {
  resolveBaseDtb,
  resolveBaseKernel,
  resolveBaseRootfs,
  resolveImage,
} from "./resolve-base.ts";
export { collectImages, type RemovedImage } from "./rootfs-cache.ts";
export {
  type EnsureRootfsImageOptions,
  ensureRootfsImage,
  ensureRootfsImageAsync,
  markRootfsImageClean,
  rootfsImgCacheDir,
  SMALLEST_ROOTFS_BYTES,
} from "./rootfs-image.ts";

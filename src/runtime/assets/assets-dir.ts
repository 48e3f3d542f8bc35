import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Debian's name for the architecture of this host: the assets carry it in their names. */
export function debianArch(): "amd64" | "arm64" {
  return process.arch === "arm64" ? "arm64" : "amd64";
}

/** Where kernels and base images live: `MACHINEN_ASSETS_DIR`, else `~/.machinen/assets`. */
export function assetsDir(): string {
  return resolve(process.env.MACHINEN_ASSETS_DIR || join(homedir(), ".machinen", "assets"));
}

/** File names of the assets for one architecture. */
export function assetNames(arch: string = debianArch()) {
  return {
    kernel: `vmlinux-${arch}`,
    /** Says which kernel package the files are from; written last, so its presence means "whole". */
    kernelRecord: `kernel-${arch}.json`,
    modules: `modules-${arch}`,
    tiny: `rootfs-tiny-${arch}.tar.gz`,
    debian: `rootfs-debian-${arch}.tar.gz`,
    dtb: `virt-${arch}.dtb`,
  };
}

import { BootError, type ErrorCode } from "../errors.ts";
import { checkMounts } from "../machine/check-mounts.ts";
import { findImage } from "../machine/plan-boot.ts";
import {
  checkEnv,
  checkGuestCwd,
  checkMemory,
  checkPortForwards,
  existingFile,
} from "../machine/validate.ts";
import type { ForkOptions } from "./options.ts";

/** What a bundle has instead is not needed; but a wrong path is a mistake all the same. */
function checkFiles({ image, kernel, dtb, rootDisk }: ForkOptions, cwd: string): void {
  if (image !== undefined) findImage(image, cwd);
  const files: Array<[ErrorCode, string, unknown]> = [
    ["BOOT_KERNEL_NOT_FOUND", "kernel", kernel],
    ["BOOT_DTB_NOT_FOUND", "dtb", dtb],
    ["BOOT_IMAGE_NOT_FOUND", "rootDisk", rootDisk],
  ];
  for (const [code, option, path] of files) {
    if (typeof path === "string") existingFile(code, option, path, cwd);
  }
}

/** Options that a machine with a past cannot take are refused, never ignored. */
export function checkResumeOptions(
  opts: ForkOptions,
  cwd: string,
  sourceMemoryMib: number | undefined,
): void {
  checkEnv(opts.env ?? {});
  checkGuestCwd(opts.guestCwd);
  checkFiles(opts, cwd);
  checkMounts(opts, cwd);
  if (opts.mount || opts._restoreMountDisk || opts.mountDiskUpperSizeBytes !== undefined) {
    throw new BootError(
      "BOOT_MOUNT_INVALID",
      "mount: a resumed machine has its source's mount, with what was written to it",
    );
  }
  checkPortForwards(opts);
  checkMemory(opts.memory);
  if (opts.memory !== undefined && opts.memory !== sourceMemoryMib) {
    throw new BootError(
      "BOOT_MEMORY_INVALID",
      `memory: a resumed machine has its source's ${sourceMemoryMib ?? "own"} MiB`,
    );
  }
}

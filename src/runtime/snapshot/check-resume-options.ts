import { BootError, type ErrorCode } from "../errors.ts";
import type { LiveMount, Mount } from "../machine/boot-options.ts";
import { checkMounts } from "../machine/check-mounts.ts";
import { findImage } from "../machine/plan-boot.ts";
import {
  checkCpus,
  checkEnv,
  checkGuestCwd,
  checkMemory,
  checkPortForwards,
  checkRootDiskSize,
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

/** A directory that comes once the machine runs would cover a live mount which is there already. */
function checkMount(opts: ForkOptions, liveMounts: LiveMount[], cwd: string): Mount | undefined {
  const plan = checkMounts({ ...opts, liveMounts }, cwd);
  if (opts._restoreMountDisk) {
    throw new BootError("BOOT_MOUNT_INVALID", "_restoreMountDisk: a machine keeps its own mount");
  }
  if (!plan || !("host" in plan)) return undefined;
  const inner = liveMounts.find(({ guest }) => guest.startsWith(`${plan.guest}/`));
  if (inner) {
    throw new BootError(
      "BOOT_MOUNT_INVALID",
      `mount ${plan.host}:${plan.guest}: it would cover the live mount at ${inner.guest}`,
    );
  }
  return { host: plan.host, guest: plan.guest };
}

/** Processors neither come nor go in a machine that runs: nobody is to believe it had become another. */
function checkSameCpus(wanted: number | undefined, has: number | undefined): void {
  if (wanted === undefined || wanted === has) return;
  throw new BootError(
    "BOOT_CPUS_INVALID",
    `cpus: the machine goes on with ${has === undefined ? "those" : `the ${has}`} of its source; leave cpus out, or boot the source with ${wanted}`,
  );
}

/**
 * Options that a machine with a past cannot take are refused, never ignored.
 *
 * @returns the mount it is to be given besides what it has
 */
export function checkResumeOptions(
  opts: ForkOptions,
  liveMounts: LiveMount[],
  cwd: string,
  source: { cpus?: number },
): Mount | undefined {
  checkEnv(opts.env ?? {});
  checkGuestCwd(opts.guestCwd);
  checkFiles(opts, cwd);
  const mount = checkMount(opts, liveMounts, cwd);
  checkPortForwards(opts);
  checkMemory(opts.memory);
  checkCpus(opts.cpus);
  checkRootDiskSize(opts.rootDiskSizeBytes);
  checkSameCpus(opts.cpus, source.cpus);
  return mount;
}

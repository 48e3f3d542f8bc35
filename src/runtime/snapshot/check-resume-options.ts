import { BootError } from "../errors.ts";
import { checkMounts } from "../machine/check-mounts.ts";
import { checkEnv, checkGuestCwd, checkMemory, checkPortForwards } from "../machine/validate.ts";
import type { ForkOptions } from "./options.ts";

/** Options that a machine with a past cannot take are refused, never ignored. */
export function checkResumeOptions(
  opts: ForkOptions,
  cwd: string,
  sourceMemoryMib: number | undefined,
): void {
  checkEnv(opts.env ?? {});
  checkGuestCwd(opts.guestCwd);
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

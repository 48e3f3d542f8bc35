import { BootError } from "../errors.ts";
import { checkGuestCwd, checkMemory, checkMounts, checkPortForwards } from "../machine/validate.ts";
import type { ForkOptions } from "./options.ts";

/** Options that a machine with a past cannot take are refused, never ignored. */
export function checkResumeOptions(
  opts: ForkOptions,
  cwd: string,
  sourceMemoryMib: number | undefined,
): void {
  if (opts.env && Object.keys(opts.env).length > 0) {
    throw new BootError(
      "BOOT_CMD_WITHOUT_IMAGE",
      "env: a resumed machine's processes keep their environment; set it in the commands you run",
    );
  }
  checkGuestCwd(opts.guestCwd);
  if (opts.guestCwd !== undefined) {
    throw new BootError(
      "BOOT_CWD_INVALID",
      "guestCwd: a resumed machine's processes keep their directory; cd in the commands you run",
    );
  }
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

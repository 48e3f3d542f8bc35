import { totalmem } from "node:os";
import { BootError } from "../errors.ts";

const SMALLEST_AUTO_MIB = 512;
const LARGEST_AUTO_MIB = 16_384;

/** Guest RAM when the caller names none: half the host's, within bounds. Untouched RAM costs nothing. */
export function autoSizeMemoryMib(hostBytes: number = totalmem()): number {
  const half = Math.floor(hostBytes / 2 ** 20 / 2);
  return Math.max(SMALLEST_AUTO_MIB, Math.min(half, LARGEST_AUTO_MIB));
}

/** Below this the guest kernel has no room to unpack its initramfs. */
const SMALLEST_MIB = 64;
const LARGEST_MIB = 2 ** 22;

/** @throws {BootError} BOOT_MEMORY_INVALID */
export function validateMemoryMib(mib: number): number {
  if (Number.isInteger(mib) && mib >= SMALLEST_MIB && mib <= LARGEST_MIB) return mib;
  throw new BootError(
    "BOOT_MEMORY_INVALID",
    `memory must be a whole number of MiB from ${SMALLEST_MIB} to ${LARGEST_MIB}, not ${mib}`,
  );
}

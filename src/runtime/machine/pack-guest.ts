import { statSync } from "node:fs";
import { BootError, type ErrorCode, isMachinenError } from "../errors.ts";
import {
  ensureRootfsImageAsync,
  markRootfsImageClean,
  packBootInitramfs,
  SMALLEST_ROOTFS_BYTES,
} from "../images/index.ts";
import type { GuestPlan } from "./plan-boot.ts";
import type { RunDir } from "./run-dir.ts";
import type { MachineVariables } from "./vmm-environment.ts";

/** Codes of our tools that say of a boot: the image is damaged, or there is no room for what is made of it. */
const NOT_PACKED: ErrorCode[] = [
  "PROVISION_INSTALL_HOOK_FAILED",
  "MKINITRAMFS_BASE_EXTRACT_FAILED",
];

/** What a boot says of a guest that could not be packed; installations that lack something say so themselves. */
function notPacked(error: unknown): unknown {
  const isOurs = isMachinenError(error);
  if (isOurs && !NOT_PACKED.includes(error.code)) return error;
  const { message } = error as Error;
  const what = isOurs ? message : `what the guest boots from could not be made: ${message}`;
  return new BootError("BOOT_PACK_FAILED", what, { cause: error });
}

/** The image of the usual size, which an overlay may enlarge, or one that is as small as asked for. */
async function rootImage(image: string, bytes: number | undefined): Promise<string> {
  if (bytes === undefined || bytes >= SMALLEST_ROOTFS_BYTES) {
    const usual = await ensureRootfsImageAsync(image);
    if (bytes === undefined || bytes >= statSync(usual).size) return usual;
  }
  try {
    return await ensureRootfsImageAsync(image, { sizeBytes: bytes, exact: true });
  } catch (error) {
    if (!isMachinenError(error, "PROVISION_INSTALL_HOOK_FAILED")) throw error;
    const message = `rootDiskSizeBytes: ${image} does not fit on a disk of ${bytes} bytes`;
    throw new BootError("BOOT_PACK_FAILED", message, { cause: error });
  }
}

async function rootDiskVariables({ rootDisk, image }: GuestPlan): Promise<MachineVariables> {
  if (!rootDisk) return {};
  if (rootDisk.kind === "file") return { MACHINEN_ROOTDISK: rootDisk.path };
  const disk = await rootImage(image, rootDisk.bytes);
  // The VMM gives the guest an overlay: nobody writes to the cached image, so it stays good whatever happens.
  markRootfsImageClean(disk);
  return { MACHINEN_ROOTDISK: disk, MACHINEN_ROOTDISK_SIZE: rootDisk.bytes?.toString() };
}

/**
 * Make what a guest boots from: its disk, and an initramfs that carries its configuration.
 *
 * @throws {BootError} BOOT_PACK_FAILED
 */
export async function packGuest(
  guest: GuestPlan,
  config: Record<string, unknown>,
  runDir: RunDir,
): Promise<MachineVariables> {
  try {
    const disk = await rootDiskVariables(guest);
    packBootInitramfs({
      image: guest.rootDisk ? undefined : guest.image,
      config: guest.rootDisk ? { ...config, rootdisk: true } : config,
      out: runDir.initramfs,
    });
    return { ...disk, MACHINEN_INITRD: runDir.initramfs };
  } catch (error) {
    throw notPacked(error);
  }
}

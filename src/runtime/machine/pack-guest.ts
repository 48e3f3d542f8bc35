import { statSync } from "node:fs";
import { BootError, isMachinenError } from "../errors.ts";
import {
  ensureRootfsImageAsync,
  markRootfsImageClean,
  packBootInitramfs,
  SMALLEST_ROOTFS_BYTES,
} from "../images/index.ts";
import type { GuestPlan } from "./plan-boot.ts";
import type { RunDir } from "./run-dir.ts";
import type { MachineVariables } from "./vmm-environment.ts";

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

/** Make what a guest boots from: its disk, and an initramfs that carries its configuration. */
export async function packGuest(
  guest: GuestPlan,
  config: Record<string, unknown>,
  runDir: RunDir,
): Promise<MachineVariables> {
  const disk = await rootDiskVariables(guest);
  try {
    packBootInitramfs({
      image: guest.rootDisk ? undefined : guest.image,
      config: guest.rootDisk ? { ...config, rootdisk: true } : config,
      out: runDir.initramfs,
    });
  } catch (error) {
    if (isMachinenError(error)) throw error;
    throw new BootError(
      "BOOT_PACK_FAILED",
      `the initramfs could not be packed: ${(error as Error).message}`,
      { cause: error },
    );
  }
  return { ...disk, MACHINEN_INITRD: runDir.initramfs };
}

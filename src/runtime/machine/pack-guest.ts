import { BootError, isMachinenError } from "../errors.ts";
import {
  ensureRootfsImageAsync,
  markRootfsImageClean,
  packBootInitramfs,
} from "../images/index.ts";
import type { GuestPlan } from "./plan-boot.ts";
import type { RunDir } from "./run-dir.ts";
import type { MachineVariables } from "./vmm-environment.ts";

async function rootDiskVariables(
  { rootDisk, image }: GuestPlan,
  sizeBytes: number | undefined,
): Promise<MachineVariables> {
  if (!rootDisk) return {};
  if (rootDisk.kind === "file") return { MACHINEN_ROOTDISK: rootDisk.path };
  const disk = await ensureRootfsImageAsync(image);
  // The VMM gives the guest an overlay: nobody writes to the cached image, so it stays good whatever happens.
  markRootfsImageClean(disk);
  return { MACHINEN_ROOTDISK: disk, MACHINEN_ROOTDISK_SIZE: sizeBytes?.toString() };
}

/** Make what a guest boots from: its disk, and an initramfs that carries its configuration. */
export async function packGuest(
  guest: GuestPlan,
  rootDiskSizeBytes: number | undefined,
  config: Record<string, unknown>,
  runDir: RunDir,
): Promise<MachineVariables> {
  const disk = await rootDiskVariables(guest, rootDiskSizeBytes);
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

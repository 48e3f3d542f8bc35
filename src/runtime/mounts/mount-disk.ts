import { statSync } from "node:fs";
import {
  ensureMountDiskImageAsync,
  ensureSharedUpperAsync,
  markMountDiskImageClean,
} from "../images/index.ts";
import type { MachineVariables } from "../machine/vmm-environment.ts";
import type { RegistryEntry } from "../registry/index.ts";
import { enforceMountLimit } from "./limit.ts";

/** A mount as it was asked for, checked. */
export type MountPlan =
  | { guest: string; host: string; upperBytes: number }
  | { guest: string; lowerPath: string; upperPath: string };

/** A mount that is ready for a machine: what its two disks start from. The machine writes to neither file. */
export interface MountDisk {
  guest: string;
  lowerPath: string;
  upperPath: string;
}

/** Pack the directory, or find it packed. */
export async function prepareMount(plan: MountPlan): Promise<MountDisk> {
  if ("lowerPath" in plan) return plan;
  const { lowerPath } = await ensureMountDiskImageAsync(plan.host);
  const upperPath = await ensureSharedUpperAsync(plan.upperBytes);
  // Nobody writes to them: they stay good whatever happens.
  for (const path of [lowerPath, upperPath]) markMountDiskImageClean(path);
  enforceMountLimit();
  return { guest: plan.guest, lowerPath, upperPath };
}

/** A template has its writable layer mounted already. */
export function mountVariables(
  disk: MountDisk | undefined,
  fromTemplate = false,
): MachineVariables {
  return {
    MACHINEN_MOUNT_LOWER: disk?.lowerPath,
    MACHINEN_MOUNT_UPPER: fromTemplate ? undefined : disk?.upperPath,
  };
}

/** What the registry is told of it. */
export function mountRecord(disk: MountDisk | undefined): Pick<RegistryEntry, "mountDisk"> {
  return disk === undefined ? {} : { mountDisk: disk };
}

/** The part of a machine's shape that a template must share. */
export function upperBytesOf(disk: MountDisk | undefined): number | undefined {
  return disk && statSync(disk.upperPath).size;
}

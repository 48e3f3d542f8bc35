import { accessSync, constants, statSync } from "node:fs";
import { posix, resolve } from "node:path";
import { BootError, type ErrorCode } from "../errors.ts";
import { DEFAULT_UPPER_BYTES } from "../images/index.ts";
import type { MountPlan } from "../mounts/index.ts";
import type { BootOptions, LiveMount } from "./boot-options.ts";
import { DISK_BLOCK_BYTES, existingFile } from "./validate.ts";

/** What the VMM takes. */
const MAX_LIVE_MOUNTS = 16;

type MountOptions = Pick<
  BootOptions,
  "mount" | "mountDiskUpperSizeBytes" | "_restoreMountDisk" | "liveMounts"
>;

/** A directory that is to be in the guest, and what its user calls it. */
interface Share extends LiveMount {
  label: string;
}

function refuse(code: ErrorCode, message: string): never {
  throw new BootError(code, message);
}

/** In the form in which it is given on a command line, so that it is recognised there too. */
function label(kind: "mount" | "live mount", { host, guest, mode }: LiveMount): string {
  return `${kind} ${host}:${guest}${mode === undefined ? "" : `:${mode}`}`;
}

function sharesOf({ mount, liveMounts = [] }: MountOptions): Share[] {
  return [
    ...(mount ? [{ ...mount, label: label("mount", mount) }] : []),
    ...liveMounts.map((share) => ({ ...share, label: label("live mount", share) })),
  ];
}

/** The place in the guest in its shortest form. */
function checkPlace(label: string, guest: unknown): string {
  if (typeof guest === "string" && !guest.includes("\0") && !guest.split("/").includes("..")) {
    const path = posix.normalize(guest).replace(/\/+$/, "");
    if (path.startsWith("/mnt/")) return path;
  }
  return refuse("BOOT_MOUNT_INVALID", `${label}: its place in the guest must be below /mnt/`);
}

function checkHostDirectory({ label, host }: Share, cwd: string): void {
  if (typeof host !== "string" || host === "" || host.includes("\0")) {
    refuse("BOOT_MOUNT_INVALID", `${label}: it names no directory of this host`);
  }
  const path = resolve(cwd, host);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) refuse("BOOT_MOUNT_HOST_NOT_FOUND", `${label}: there is no directory ${path}`);
  if (!stat.isDirectory()) refuse("BOOT_MOUNT_INVALID", `${label}: ${path} is no directory`);
  try {
    accessSync(path, constants.R_OK | constants.X_OK);
  } catch (error) {
    refuse("BOOT_MOUNT_INVALID", `${label}: it cannot be read: ${(error as Error).message}`);
  }
}

/** A mount point inside a live mount would have to be made on the host, by a machine that is not up yet. */
function checkNesting({ liveMounts = [] }: MountOptions, places: Map<string, Share>): void {
  if (liveMounts.length > MAX_LIVE_MOUNTS) {
    refuse("BOOT_MOUNT_INVALID", `a machine has at most ${MAX_LIVE_MOUNTS} live mounts`);
  }
  for (const [outer, { label }] of places) {
    if (!label.startsWith("live")) continue;
    const inner = [...places].find(([place]) => place.startsWith(`${outer}/`))?.[1];
    if (inner) refuse("BOOT_MOUNT_INVALID", `${inner.label}: it lies inside the ${label}`);
  }
}

/** The mount of a bundle or of a host directory. */
function planMount(opts: MountOptions, cwd: string): MountPlan | undefined {
  const { mount, _restoreMountDisk: restored } = opts;
  if (restored) {
    const { guest, lowerPath, upperPath } = restored;
    return {
      guest: checkPlace("_restoreMountDisk", guest),
      lowerPath: existingFile("BOOT_MOUNT_HOST_NOT_FOUND", "lowerPath", lowerPath, cwd),
      upperPath: existingFile("BOOT_MOUNT_HOST_NOT_FOUND", "upperPath", upperPath, cwd),
    };
  }
  return (
    mount && {
      guest: checkPlace(label("mount", mount), mount.guest),
      host: resolve(cwd, mount.host),
      upperBytes: opts.mountDiskUpperSizeBytes ?? DEFAULT_UPPER_BYTES,
    }
  );
}

function checkUpperSize(bytes: number | undefined): void {
  if (bytes === undefined) return;
  if (Number.isSafeInteger(bytes) && bytes > 0 && bytes % DISK_BLOCK_BYTES === 0) return;
  refuse(
    "BOOT_MOUNT_INVALID",
    `mountDiskUpperSizeBytes must be a positive multiple of ${DISK_BLOCK_BYTES}`,
  );
}

/** @throws {BootError} BOOT_MOUNT_INVALID | BOOT_MOUNT_HOST_NOT_FOUND */
export function checkMounts(opts: MountOptions, cwd: string): MountPlan | undefined {
  const shares = sharesOf(opts);
  const places = new Map<string, Share>();
  for (const share of shares) {
    const place = checkPlace(share.label, share.guest);
    if (share.mode !== undefined && share.mode !== "ro" && share.mode !== "rw") {
      refuse("BOOT_MOUNT_INVALID", `${share.label}: its mode must be "ro" or "rw"`);
    }
    const other = places.get(place);
    if (other) refuse("BOOT_MOUNT_INVALID", `${share.label}: its place is that of ${other.label}`);
    places.set(place, share);
  }
  checkNesting(opts, places);
  for (const share of shares) checkHostDirectory(share, cwd);
  checkUpperSize(opts.mountDiskUpperSizeBytes);
  return planMount(opts, cwd);
}

import { accessSync, constants, existsSync, statSync } from "node:fs";
import { isIPv4 } from "node:net";
import { posix, resolve } from "node:path";
import { BootError, type ErrorCode } from "../errors.ts";
import { DEFAULT_UPPER_BYTES } from "../images/index.ts";
import { validateMemoryMib } from "../memory/index.ts";
import type { MountPlan } from "../mounts/index.ts";
import type { BootOptions, Mount, PortForward } from "./boot-options.ts";

/** What the VMM takes. */
const MAX_LIVE_MOUNTS = 16;
const DISK_BLOCK_BYTES = 4096;
/** What the VMM takes. */
const MAX_FORWARDS = 64;

function refuse(code: ErrorCode, message: string): never {
  throw new BootError(code, message);
}

/** An option that names a file: absolute afterwards. */
export function existingFile(code: ErrorCode, option: string, path: string, cwd: string): string {
  const absolute = resolve(cwd, path);
  if (!existsSync(absolute)) refuse(code, `${option} ${absolute} does not exist`);
  return absolute;
}

/** @throws {BootError} BOOT_CWD_INVALID */
export function checkGuestCwd(guestCwd: string | undefined): void {
  if (guestCwd === undefined) return;
  if (!guestCwd.startsWith("/") || guestCwd.includes("\0")) {
    refuse("BOOT_CWD_INVALID", `guestCwd ${JSON.stringify(guestCwd)} must be an absolute path`);
  }
}

/** As people write a mount, wherever they gave it: option, flag or dialog. */
function mountName(kind: "mount" | "live mount", { host, guest }: Mount): string {
  return `${kind} ${host}:${guest}`;
}

/** `name`: of the mount, for messages. */
function checkGuestMountPoint(name: string, guest: unknown): string {
  if (typeof guest !== "string" || guest.includes("\0") || !guest.startsWith("/mnt/")) {
    refuse("BOOT_MOUNT_INVALID", `${name}: its place in the machine must be below /mnt/`);
  }
  const path = posix.normalize(guest).replace(/\/+$/, "");
  if (!path.startsWith("/mnt/") || guest.split("/").includes("..")) {
    refuse("BOOT_MOUNT_INVALID", `${name}: its place in the machine must stay below /mnt/`);
  }
  return path;
}

function checkHostDirectory(name: string, host: unknown, cwd: string): void {
  if (typeof host !== "string" || host === "" || host.includes("\0")) {
    refuse("BOOT_MOUNT_INVALID", `${name}: it needs a directory of this host`);
  }
  const path = resolve(cwd, host);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) refuse("BOOT_MOUNT_HOST_NOT_FOUND", `${name}: ${path} does not exist`);
  if (!stat.isDirectory()) refuse("BOOT_MOUNT_INVALID", `${name}: ${path} is no directory`);
  try {
    accessSync(path, constants.R_OK | constants.X_OK);
  } catch (error) {
    refuse("BOOT_MOUNT_INVALID", `${name}: it cannot be read: ${(error as Error).message}`);
  }
}

type MountOptions = Pick<
  BootOptions,
  "mount" | "mountDiskUpperSizeBytes" | "_restoreMountDisk" | "liveMounts"
>;

/** A mount point inside a live mount would have to be made on the host, by a machine that is not up yet. */
function checkNesting({ liveMounts = [] }: MountOptions, guests: ReadonlySet<string>): void {
  if (liveMounts.length > MAX_LIVE_MOUNTS) {
    refuse("BOOT_MOUNT_INVALID", `liveMounts: more than ${MAX_LIVE_MOUNTS}`);
  }
  for (const share of liveMounts) {
    const outer = checkGuestMountPoint(mountName("live mount", share), share.guest);
    const inner = [...guests].find((guest) => guest.startsWith(`${outer}/`));
    if (inner) refuse("BOOT_MOUNT_INVALID", `${inner} lies inside the live mount ${outer}`);
  }
}

/** The mount of a bundle or of a host directory. Pure. */
function planMount(opts: MountOptions, cwd: string): MountPlan | undefined {
  const { mount, _restoreMountDisk: restored } = opts;
  if (restored) {
    const { guest, lowerPath, upperPath } = restored;
    return {
      guest: checkGuestMountPoint("_restoreMountDisk", guest),
      lowerPath: existingFile("BOOT_MOUNT_HOST_NOT_FOUND", "lowerPath", lowerPath, cwd),
      upperPath: existingFile("BOOT_MOUNT_HOST_NOT_FOUND", "upperPath", upperPath, cwd),
    };
  }
  return (
    mount && {
      guest: checkGuestMountPoint(mountName("mount", mount), mount.guest),
      host: resolve(cwd, mount.host),
      upperBytes: opts.mountDiskUpperSizeBytes ?? DEFAULT_UPPER_BYTES,
    }
  );
}

/** @throws {BootError} BOOT_MOUNT_INVALID | BOOT_MOUNT_HOST_NOT_FOUND */
export function checkMounts(opts: MountOptions, cwd: string): MountPlan | undefined {
  const taken = new Set<string>();
  const shares = [
    ...(opts.mount ? [{ name: mountName("mount", opts.mount), ...opts.mount, mode: "rw" }] : []),
    ...(opts.liveMounts ?? []).map((share) => ({
      name: mountName("live mount", share),
      ...share,
      mode: share.mode ?? "rw",
    })),
  ];
  for (const share of shares) {
    const guest = checkGuestMountPoint(share.name, share.guest);
    if (share.mode !== "ro" && share.mode !== "rw") {
      refuse("BOOT_MOUNT_INVALID", `${share.name}: its mode must be "ro" or "rw"`);
    }
    if (taken.has(guest)) {
      refuse("BOOT_MOUNT_INVALID", `${share.name}: another mount has that place`);
    }
    taken.add(guest);
  }
  checkNesting(opts, taken);
  for (const share of shares) checkHostDirectory(share.name, share.host, cwd);
  const upper = opts.mountDiskUpperSizeBytes;
  if (
    upper !== undefined &&
    !(Number.isSafeInteger(upper) && upper > 0 && upper % DISK_BLOCK_BYTES === 0)
  ) {
    refuse(
      "BOOT_MOUNT_INVALID",
      `mountDiskUpperSizeBytes must be a positive multiple of ${DISK_BLOCK_BYTES}`,
    );
  }
  return planMount(opts, cwd);
}

function isPort(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65535;
}

function bindsSameAddress(a: PortForward, b: PortForward): boolean {
  const [first, second] = [a.hostAddr ?? "127.0.0.1", b.hostAddr ?? "127.0.0.1"];
  return first === second || [first, second].some((addr) => addr === "0.0.0.0");
}

/** @throws {BootError} BOOT_PORT_FORWARD_INVALID | BOOT_PORT_FORWARD_CONFLICT */
export function checkPortForwards({
  portForward: forwards,
  network,
}: Pick<BootOptions, "portForward" | "network">): void {
  const seen: PortForward[] = [];
  for (const [index, forward] of (forwards ?? []).entries()) {
    const option = `portForward[${index}]`;
    if (!isPort(forward.hostPort) || !isPort(forward.guestPort)) {
      refuse("BOOT_PORT_FORWARD_INVALID", `${option}: ports are integers from 1 to 65535`);
    }
    if (forward.hostAddr !== undefined && !isIPv4(forward.hostAddr)) {
      refuse("BOOT_PORT_FORWARD_INVALID", `${option}.hostAddr must be an IPv4 address`);
    }
    if (seen.some((o) => o.hostPort === forward.hostPort && bindsSameAddress(o, forward))) {
      refuse(
        "BOOT_PORT_FORWARD_CONFLICT",
        `${option}: host port ${forward.hostPort} is used twice`,
      );
    }
    seen.push(forward);
  }
  if (seen.length > MAX_FORWARDS) {
    refuse("BOOT_PORT_FORWARD_INVALID", `portForward: more than ${MAX_FORWARDS} forwards`);
  }
  if (seen.length > 0 && network === false) {
    refuse("BOOT_PORT_FORWARD_INVALID", "portForward needs the network that network: false takes");
  }
}

const MOST_CPUS = 64;

/** @throws {BootError} BOOT_CPUS_INVALID */
export function checkCpus(cpus: number | undefined): void {
  if (cpus === undefined || (Number.isInteger(cpus) && cpus >= 1 && cpus <= MOST_CPUS)) return;
  throw new BootError(
    "BOOT_CPUS_INVALID",
    `cpus must be a whole number from 1 to ${MOST_CPUS}, not ${cpus}`,
  );
}

/** @throws {BootError} BOOT_MEMORY_INVALID */
export function checkMemory(memory: number | undefined): void {
  if (memory !== undefined) validateMemoryMib(memory);
}

/** @throws {BootError} BOOT_PACK_FAILED */
export function checkRootDiskSize(bytes: number | undefined): void {
  if (bytes === undefined) return;
  if (!(Number.isSafeInteger(bytes) && bytes > 0 && bytes % DISK_BLOCK_BYTES === 0)) {
    refuse(
      "BOOT_PACK_FAILED",
      `rootDiskSizeBytes must be a positive multiple of ${DISK_BLOCK_BYTES}`,
    );
  }
}

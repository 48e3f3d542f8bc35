import { statSync } from "node:fs";
import { isIPv4 } from "node:net";
import { resolve } from "node:path";
import { BootError, type ErrorCode } from "../errors.ts";
import { validateMemoryMib } from "../memory/index.ts";
import type { BootOptions, PortForward } from "./boot-options.ts";

export const DISK_BLOCK_BYTES = 4096;
/** What the VMM takes. */
const MAX_FORWARDS = 64;

function refuse(code: ErrorCode, message: string): never {
  throw new BootError(code, message);
}

/** An option that names a file: absolute afterwards. */
export function existingFile(code: ErrorCode, option: string, path: string, cwd: string): string {
  const absolute = resolve(cwd, path);
  const stat = statSync(absolute, { throwIfNoEntry: false });
  if (!stat) refuse(code, `${option} ${absolute} does not exist`);
  if (stat.isDirectory()) refuse(code, `${option} ${absolute} is a directory, not a file`);
  return absolute;
}

/** @throws {BootError} BOOT_CWD_INVALID */
export function checkGuestCwd(guestCwd: string | undefined): void {
  if (guestCwd === undefined) return;
  if (!guestCwd.startsWith("/") || guestCwd.includes("\0")) {
    refuse("BOOT_CWD_INVALID", `guestCwd ${JSON.stringify(guestCwd)} must be an absolute path`);
  }
}

/** @throws {BootError} BOOT_PACK_FAILED */
export function checkEnv(env: Record<string, string>): Record<string, string> {
  for (const [key, value] of Object.entries(env)) {
    if (key === "" || key.includes("=") || `${key}${value}`.includes("\0")) {
      refuse("BOOT_PACK_FAILED", `env: ${JSON.stringify(key)} cannot be an environment variable`);
    }
  }
  return env;
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

/** What the VMM takes. */
const MOST_ROOT_DISK_BYTES = 2 ** 42;

/** The size as a disk can have it. @throws {BootError} BOOT_PACK_FAILED */
export function checkRootDiskSize(bytes: number | undefined): number | undefined {
  if (bytes === undefined) return undefined;
  if (!(Number.isSafeInteger(bytes) && bytes > 0 && bytes <= MOST_ROOT_DISK_BYTES)) {
    refuse(
      "BOOT_PACK_FAILED",
      `rootDiskSizeBytes must be a whole number of bytes from 1 to ${MOST_ROOT_DISK_BYTES}`,
    );
  }
  return Math.ceil(bytes / DISK_BLOCK_BYTES) * DISK_BLOCK_BYTES;
}

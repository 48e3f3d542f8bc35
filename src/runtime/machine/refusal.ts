import { BootError, type ErrorCode } from "../errors.ts";
import { liveEntries, readEntry } from "../registry/index.ts";

/** What the VMM says it does not do, by its own code. */
const CODES: Record<string, [ErrorCode, option: string]> = {
  PORT_IN_USE: ["BOOT_PORT_FORWARD_IN_USE", "portForward"],
  PORT_REFUSED: ["BOOT_PORT_FORWARD_INVALID", "portForward"],
  BAD_FORWARD: ["BOOT_PORT_FORWARD_INVALID", "portForward"],
  NETWORK_OFF: ["BOOT_PORT_FORWARD_INVALID", "portForward"],
  NETWORK_MISSING: ["BOOT_PORT_FORWARD_NO_GVPROXY", "portForward"],
  DISK_IN_USE: ["BOOT_SNAPSHOT_IN_USE", "snapshot"],
  LIVE_MOUNT_FAILED: ["BOOT_MOUNT_INVALID", "liveMounts"],
};

/** What a variable of the VMM's is to the callers of `boot()`. */
const VARIABLES: Record<string, [ErrorCode, option: string]> = {
  KERNEL: ["BOOT_KERNEL_NOT_FOUND", "kernel"],
  INITRD: ["BOOT_PACK_FAILED", "the initramfs"],
  ROOTDISK: ["BOOT_IMAGE_NOT_FOUND", "rootDisk"],
  ROOTDISK_SIZE: ["BOOT_PACK_FAILED", "rootDiskSizeBytes"],
  SCRATCH_DISK: ["BOOT_SNAPSHOT_INVALID", "snapshot"],
  MEMORY: ["BOOT_MEMORY_INVALID", "memory"],
  CPUS: ["BOOT_CPUS_INVALID", "cpus"],
  MOUNT_LOWER: ["BOOT_MOUNT_INVALID", "mount"],
  MOUNT_UPPER: ["BOOT_MOUNT_INVALID", "mount"],
  LIVE_MOUNTS: ["BOOT_MOUNT_INVALID", "liveMounts"],
  INCOMING: ["BOOT_SNAPSHOT_NOT_FOUND", "the saved machine"],
};

const REFUSAL = new RegExp(`^(${Object.keys(CODES).join("|")}): (.*)$`, "m");
const WRONG_VARIABLE = new RegExp(
  `^CONFIG_INVALID: MACHINEN_(${Object.keys(VARIABLES).join("|")}): (.*)$`,
  "m",
);
const NO_QEMU = /^qemu: (cannot start '.*)$/m;

/** A holder that is one of our machines is better known by its name. */
function nameHolder(message: string): string {
  const pid = Number(/\(pid (\d+)\)$/.exec(message)?.[1]);
  const name = pid > 0 ? readEntry(pid)?.name : undefined;
  return name === undefined ? message : `${message}, the machine ${name}`;
}

/** The same for a file, whose holder the system does not tell. */
function nameDiskHolder(message: string): string {
  const holder = liveEntries().find(
    ({ diskPath }) => diskPath !== undefined && message.startsWith(`${diskPath}: `),
  );
  return holder === undefined
    ? message
    : `${message} by ${holder.name ?? "a machine"} (pid ${holder.pid})`;
}

const RETRYABLE = ["PORT_IN_USE", "DISK_IN_USE"];

/** The option that a VMM which has ended refused, out of what it printed. Pure but for the registry. */
export function refusalError(printed: string): BootError | undefined {
  const [, qemu] = NO_QEMU.exec(printed) ?? [];
  if (qemu !== undefined) return new BootError("BOOT_VMM_MISSING", qemu);
  for (const [pattern, known] of [
    [REFUSAL, CODES],
    [WRONG_VARIABLE, VARIABLES],
  ] as const) {
    const [, word, message] = pattern.exec(printed) ?? [];
    if (word === undefined) continue;
    const [code, option] = known[word]!;
    const retryable = RETRYABLE.includes(word);
    const named = word === "DISK_IN_USE" ? nameDiskHolder(message!) : nameHolder(message!);
    return new BootError(code, `${option}: ${named}`, { retryable });
  }
  return undefined;
}

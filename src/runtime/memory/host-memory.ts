import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { freemem, totalmem } from "node:os";
import { promisify } from "node:util";
import { BootError } from "../errors.ts";

/**
 * Bytes a new process could use right now without paging: what the Linux kernel estimates, on
 * macOS the pages that need no write-back. Elsewhere all memory, so that nothing is refused there.
 */
export async function readHostFreeBytes(): Promise<number> {
  try {
    if (process.platform === "linux") {
      return parseMemAvailable(await readFile("/proc/meminfo", "latin1")) ?? freemem();
    }
    if (process.platform === "darwin") {
      const { stdout } = await promisify(execFile)("vm_stat");
      return parseVmStat(stdout) ?? freemem();
    }
  } catch {
    return freemem();
  }
  return totalmem();
}

/** Memory of this host in bytes. */
export function readHostTotalBytes(): number {
  return totalmem();
}

export function parseMemAvailable(meminfo: string): number | undefined {
  const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

export function parseVmStat(report: string): number | undefined {
  const pageSize = /page size of (\d+) bytes/.exec(report)?.[1];
  const counts = ["free", "speculative", "purgeable"].map(
    (kind) => new RegExp(`^Pages ${kind}:\\s+(\\d+)\\.?$`, "m").exec(report)?.[1],
  );
  if (pageSize === undefined || counts.includes(undefined)) return undefined;
  return Number(pageSize) * counts.reduce((sum, count) => sum + Number(count), 0);
}

/** Share of the host's memory that must be free for a fork: enough to keep the OOM killer away. */
export const DEFAULT_FREE_MEMORY_THRESHOLD = 0.01;

export interface CheckForkBackpressureOptions {
  /** Share of all memory that must be free; more than 1 is 1. Zero or less lets every fork pass. */
  threshold: number;
  readFree?: () => Promise<number>;
  totalBytes?: number;
}

/**
 * Refuse to go on when the host has too little free memory. It is not waited for.
 *
 * @throws {BootError} FORK_MEMORY_BACKPRESSURE when less than `threshold` of the total is free;
 * BOOT_MEMORY_INVALID when it is no number
 */
export async function checkForkBackpressure(opts: CheckForkBackpressureOptions): Promise<void> {
  if (typeof opts.threshold !== "number" || Number.isNaN(opts.threshold)) {
    throw new BootError(
      "BOOT_MEMORY_INVALID",
      `freeMemoryThreshold must be a share of the host's memory from 0 to 1, not ${opts.threshold}`,
    );
  }
  if (opts.threshold <= 0) return;
  const total = opts.totalBytes ?? readHostTotalBytes();
  const needed = total * Math.min(opts.threshold, 1);
  const free = await (opts.readFree ?? readHostFreeBytes)();
  if (free >= needed) return;
  throw new BootError(
    "FORK_MEMORY_BACKPRESSURE",
    `the host has ${inMib(free)} MiB of memory free, a fork asks for ${inMib(needed)} MiB: ` +
      "stop a machine, or lower freeMemoryThreshold",
    { retryable: true },
  );
}

const inMib = (bytes: number): number => Math.round(bytes / 2 ** 20);

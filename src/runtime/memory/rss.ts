import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { readBalloonStats } from "./balloon-stats.ts";

export interface RssTarget {
  pid: number;
  /** The VMM's stats file; on macOS its figure is better than what ps says. */
  statsPath?: string;
}

/**
 * Bytes of host memory a process holds, or null when that cannot be read.
 *
 * A VMM's memory is its QEMU's: for a process with QEMU children their memory is counted too, and
 * then pages that several machines share (a template's, a fork's) are counted in proportion, so
 * that the figures of all machines add up to what they really use. Any other process: its VmRSS.
 */
export function readHostRssBytes(pid: number, statsPath?: string): number | null {
  return readHostRssBytesMulti([{ pid, statsPath }]).get(pid) ?? null;
}

/** The same for many; processes that cannot be read are absent. */
export function readHostRssBytesMulti(
  targets: ReadonlyArray<RssTarget | number>,
): Map<number, number> {
  const wanted = targets.map((target) => (typeof target === "number" ? { pid: target } : target));
  return process.platform === "linux" ? fromProcfs(wanted) : fromPs(wanted);
}

function fromProcfs(targets: RssTarget[]): Map<number, number> {
  const result = new Map<number, number>();
  for (const { pid } of targets) {
    const qemus = childrenOf(pid).filter(isQemu);
    const own = qemus.length > 0 ? proportionalBytes(pid) : residentBytes(pid);
    if (own === undefined) continue;
    const theirs = qemus.map((qemu) => proportionalBytes(qemu) ?? 0);
    result.set(
      pid,
      theirs.reduce((sum, bytes) => sum + bytes, own),
    );
  }
  return result;
}

/** What a machine's processes hold: memory of their own, and their share of memory others use too. */
export interface HostMemory {
  privateBytes: number;
  sharedBytes: number;
}

/**
 * The two parts of what `readHostRssBytes` says of a machine; null when the kernel does not tell them apart
 * for us.
 */
export function readHostMemory(pid: number): HostMemory | null {
  if (process.platform !== "linux") return null;
  const memory = { privateBytes: 0, sharedBytes: 0 };
  for (const one of [pid, ...childrenOf(pid).filter(isQemu)]) {
    const rollup = readProc(one, "smaps_rollup");
    const proportional = kibField(rollup, "Pss");
    if (proportional === undefined) return null;
    const own = ["Private_Clean", "Private_Dirty"].reduce(
      (sum, field) => sum + (kibField(rollup, field) ?? 0),
      0,
    );
    memory.privateBytes += own;
    memory.sharedBytes += Math.max(0, proportional - own);
  }
  return memory;
}

/** The kernel lists children by the thread that made them. */
function childrenOf(pid: number): number[] {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  const lists = threads.map((thread) => readProc(pid, `task/${thread}/children`) ?? "");
  return lists.join(" ").split(" ").filter(Boolean).map(Number);
}

/** By the command name, which every user may read; the kernel cuts it to 15 bytes. */
function isQemu(pid: number): boolean {
  return (readProc(pid, "comm") ?? "").startsWith("qemu-system");
}

/** Only the process's owner may read the proportional figure; the plain one is the next best. */
function proportionalBytes(pid: number): number | undefined {
  return kibField(readProc(pid, "smaps_rollup"), "Pss") ?? residentBytes(pid);
}

function residentBytes(pid: number): number | undefined {
  return kibField(readProc(pid, "status"), "VmRSS");
}

function kibField(text: string | undefined, field: string): number | undefined {
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text ?? "")?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

function readProc(pid: number, file: string): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return undefined;
  }
}

/** One ps for all of them. */
function fromPs(targets: RssTarget[]): Map<number, number> {
  const result = new Map<number, number>();
  const unknown: number[] = [];
  for (const { pid, statsPath } of targets) {
    const footprint = statsPath === undefined ? undefined : readBalloonStats(statsPath);
    if (footprint?.hostPhysFootprintBytes) result.set(pid, footprint.hostPhysFootprintBytes);
    else if (Number.isSafeInteger(pid) && pid > 0) unknown.push(pid);
  }
  if (unknown.length === 0) return result;
  for (const line of ps(unknown).split("\n")) {
    const [pid, kib] = line.trim().split(/\s+/).map(Number);
    if (pid !== undefined && kib !== undefined && Number.isFinite(kib)) result.set(pid, kib * 1024);
  }
  return result;
}

function ps(pids: number[]): string {
  try {
    return execFileSync("ps", ["-o", "pid=,rss=", "-p", pids.join(",")], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return "";
  }
}

import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";

/** What the kernel says about a running process; what costs extra is asked for only when used. */
export interface ProcessFacts {
  /** Differs for any two processes that ever had the same pid, also across reboots. */
  identity: string;
  /** ms since the epoch; shifts when the host's clock is set. */
  startedAt(): number;
  /** Undefined when it may not be read (another user's process). */
  exe(): string | undefined;
}

/** Facts about `pid`, or undefined when there is no such process or only its zombie is left. */
export function readProcess(pid: number): ProcessFacts | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return process.platform === "linux" ? readProcfs(pid) : readPs(pid);
}

/** Whether `pid` may be signalled by us. A zombie may. */
export function canSignal(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Clock ticks per second of /proc: fixed at 100 for user space on every Linux architecture. */
const TICKS_PER_SECOND = 100;

function readProcfs(pid: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command name may hold spaces and parentheses: count fields from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const state = fields[0];
    const startTicks = Number(fields[19]);
    // While other threads run, or have yet to end, it has all its files and memory.
    const ended = (state === "Z" || state === "X") && Number(fields[17]) <= 1;
    if (ended || !Number.isFinite(startTicks)) return undefined;
    return {
      identity: `${bootId()}:${startTicks}`,
      startedAt: () => bootedAt() + (startTicks * 1000) / TICKS_PER_SECOND,
      exe: () => readExe(pid),
    };
  } catch {
    return undefined;
  }
}

function readExe(pid: number): string | undefined {
  try {
    // A binary that was replaced while it ran (an upgrade) keeps its old path with this mark.
    return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, "");
  } catch {
    return undefined;
  }
}

let cachedBootId: string | undefined;
/** Tells this start of the host from any other. Linux only. */
export function bootId(): string {
  cachedBootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  return cachedBootId;
}

function bootedAt(): number {
  const uptime = Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]);
  return Date.now() - uptime * 1000;
}

/** Hosts without /proc: start time in whole seconds and the executable, from ps. */
function readPs(pid: number): ProcessFacts | undefined {
  try {
    const line = execFileSync("ps", ["-o", "lstart=,comm=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, LC_ALL: "C" },
    }).trim();
    const [, start, exe] = /^(\S+ +\S+ +\S+ +\S+ +\d{4}) +(.*)$/.exec(line) ?? [];
    if (start === undefined) return undefined;
    return { identity: start, startedAt: () => Date.parse(start), exe: () => exe };
  } catch {
    return undefined;
  }
}

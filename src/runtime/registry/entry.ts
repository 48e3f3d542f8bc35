/** What is recorded about a live machine, for other processes to find and clean up after it. */
export interface RegistryEntry {
  /** The VMM's pid: the key. */
  pid: number;
  name?: string;
  /** Unix socket that leads to the guest's exec service. */
  socketPath: string;
  /** Unix socket that leads to the guest's files service. */
  filesPath?: string;
  /** The VMM's control socket. */
  controlPath?: string;
  /** Directory of the machine's sockets; the VMM removes it when it ends. */
  runDir?: string;
  imagePath?: string;
  /** The caller's file that the guest has as its scratch disk. */
  diskPath?: string;
  snapshotDisabled?: boolean;
  hostname?: string;
  /** The machine this one was forked from: its pid and its name at that time. */
  parentPid?: number;
  parentName?: string;
  /** ms since the epoch: when that fork was asked for. */
  forkedAt?: number;
  /** Bundle directory this machine was restored from. */
  forkedFrom?: string;
  /** The template whose memory this machine started from, itself or by way of the machine it was forked from. */
  templateKey?: string;
  /** Console output up to the moment the creator let go of a detached machine. */
  bootLogPath?: string;
  /** Files and directories to remove once the machine is gone; absolute. */
  cleanupPaths?: string[];
  /** Sockets that the VMM listens on outside of its run directory; absolute. Removed unless another process has them. */
  ownSockets?: string[];
  vmmExe?: string;
  /** Tells this process from any other that ever had its pid; filled in when the entry is added. */
  processIdentity?: string;
  gvproxyPid?: number;
  gvproxyExe?: string;
  portForward?: Array<{ hostPort: number; guestPort: number; hostAddr?: string }>;
  /** MiB of RAM the guest can use. */
  memoryCeilingMib?: number;
  /** MiB of RAM it was made with, where that is more: the rest is in its balloon. */
  memorySizeMib?: number;
  /** Virtual processors. */
  cpus?: number;
  /** The VMM's stats file (see `readBalloonStats`). */
  statsPath?: string;
  /** Pages of 4096 bytes that were mapped from a bundle; unset for a machine that was not restored with `lazy`. */
  lazyPagesTotal?: number;
  /** The directory in the bundle that they came from; absolute. */
  lazyPagesMountRoot?: string;
  mountDisk?: { guest: string; lowerPath: string; upperPath: string };
  liveMounts?: Array<{ guest: string; host: string; mode: "ro" | "rw" }>;
  liveMountServers?: Array<{ pid: number; exe: string }>;
  /** ms since the epoch when the entry was made. */
  startedAt: number;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isNumber: Check = (value) => typeof value === "number" && Number.isFinite(value);
const isFlag: Check = (value) => typeof value === "boolean";
const isMode: Check = (value) => value === "ro" || value === "rw";
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const record =
  (fields: Record<string, Check>): Check =>
  (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.entries(fields).every(([key, check]) => check((value as Record<string, unknown>)[key]));

const FIELDS: { [Field in keyof Required<RegistryEntry>]: Check } = {
  pid: isNumber,
  name: isText,
  socketPath: isText,
  filesPath: isText,
  controlPath: isText,
  runDir: isText,
  imagePath: isText,
  diskPath: isText,
  snapshotDisabled: isFlag,
  hostname: isText,
  parentPid: isNumber,
  parentName: isText,
  forkedAt: isNumber,
  forkedFrom: isText,
  templateKey: isText,
  bootLogPath: isText,
  cleanupPaths: listOf(isText),
  ownSockets: listOf(isText),
  vmmExe: isText,
  processIdentity: isText,
  gvproxyPid: isNumber,
  gvproxyExe: isText,
  portForward: listOf(
    record({ hostPort: isNumber, guestPort: isNumber, hostAddr: optional(isText) }),
  ),
  memoryCeilingMib: isNumber,
  memorySizeMib: isNumber,
  cpus: isNumber,
  statsPath: isText,
  lazyPagesTotal: isNumber,
  lazyPagesMountRoot: isText,
  mountDisk: record({ guest: isText, lowerPath: isText, upperPath: isText }),
  liveMounts: listOf(record({ guest: isText, host: isText, mode: isMode })),
  liveMountServers: listOf(record({ pid: isNumber, exe: isText })),
  startedAt: isNumber,
};

const REQUIRED = ["pid", "socketPath", "startedAt"] as const;

/** Read an entry from text nobody vouches for; undefined unless the required fields are sound. */
export function parseEntry(text: string, pid: number): RegistryEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  // Unknown fields stay out and unsound optional ones are dropped: half a record beats none in gc.
  const known = Object.entries(FIELDS).flatMap(([field, check]) => {
    const content = (value as Record<string, unknown>)[field];
    return content !== undefined && check(content) ? [[field, content] as const] : [];
  });
  const entry = Object.fromEntries(known) as Partial<RegistryEntry>;
  if (REQUIRED.some((field) => entry[field] === undefined) || entry.pid !== pid) return undefined;
  return entry as RegistryEntry;
}

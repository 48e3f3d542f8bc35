import type { OnLog } from "../log.ts";
import type { BootOptions, PortForward } from "../machine/boot-options.ts";

export interface SnapshotOptions {
  /** Where the bundle goes: a directory that is absent or empty. */
  outDir: string;
  /** Accepted for compatibility: the whole machine is saved from outside, no command runs in the guest. */
  dumpCmd?: string;
  /**
   * Give up after this long, waiting for a machine that still boots included, and leave nothing behind.
   * Default 90 s; `Infinity`: never. A machine that was to end is killed then; with `leaveRunning` it goes
   * on, as it does after every other failure.
   */
  timeoutMs?: number;
  onLog?: OnLog;
  /** Keep the machine running. Default false: it ends once the bundle is whole. */
  leaveRunning?: boolean;
  /** Accepted for compatibility: host connections end with the link, so a restored guest never shares one. */
  tcpClose?: boolean;
}

export interface SnapshotResult {
  /** Absolute path of the bundle. */
  snapDir: string;
  /** Absolute path of the saved machine in the bundle. */
  imgDir: string;
  elapsedMs: number;
  /** What the guest's console printed meanwhile. */
  consoleLog: string;
}

/** The bundle's `meta.json`, as far as the public API promises it. */
export interface SnapshotMeta {
  sourceName?: string;
  sourceImage?: string;
  /** ms since the epoch */
  snappedAt: number;
  mountDisk?: { guest: string; lower: string; upper: string };
  liveMounts?: Array<{ guest: string; host: string; mode: "ro" | "rw" }>;
}

/**
 * `image`, `kernel`, `dtb` and `rootDisk` are accepted and not needed: a bundle carries the running kernel
 * and its disks. `cmd` has been started already; `env` and `guestCwd` are those of the commands you run in it
 * and of what they start: its processes keep theirs. A `mount` comes besides the source's own and takes room on the
 * machine's root. Less `memory` than the source has is all the machine can use: a balloon in it takes the rest, but
 * nothing its programs use. More changes nothing; `onLog` is told whenever it is not what was asked for.
 */
export interface RestoreOptions extends Omit<BootOptions, "snapshot" | "image" | "cmd" | "name"> {
  /** A bundle written by `vm.snapshot()`. */
  snapDir: string;
  image?: string;
  /** Default: `<source's name>/<pid>`. */
  name?: string;
  /**
   * Map the bundle's memory instead of reading it into memory of the machine's own: what the guest never touches takes
   * none, and machines restored from one bundle share what they only read. The bundle is verified first all the same.
   * Whoever wants to change its file meanwhile waits until the machine has a copy (docs/forking.md). Where it cannot
   * be mapped it is copied, and `onLog` is told why. Default false.
   */
  lazy?: boolean;
}

export interface ForkOptions extends Omit<RestoreOptions, "snapDir"> {
  /** Also write a bundle of the forked state here, and keep it. */
  outDir?: string;
  /** Accepted for compatibility; the source keeps its connections and the fork's end either way. */
  tcpKeep?: boolean;
  /** Default: `<source's name>/<pid>`. */
  name?: string;
  /** Never inherited: host ports are global. */
  portForward?: PortForward[];
  /** For the fork's `wait()`. Default `null`: for ever. */
  timeoutMs?: number | null;
  onLog?: OnLog;
  /** With `outDir`: as in `restore()`. Without, a fork maps its source's memory either way. Default false. */
  lazy?: boolean;
  /** Share of the host's memory that must be free, else `FORK_MEMORY_BACKPRESSURE`. Default 0.01; 0 or less turns it off, more than 1 is 1. */
  freeMemoryThreshold?: number;
}

/** Every fork of one call has the same options; each gets a name of its own. */
export interface ForkManyOptions extends Omit<ForkOptions, "name" | "outDir"> {
  /** One for each fork. Default: `<source's name>/<pid>`. */
  names?: string[];
}

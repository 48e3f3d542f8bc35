import type { Readable, Writable } from "node:stream";
import type { MachineDifference } from "../compare/index.ts";
import type { CopyOptions } from "../files/index.ts";
import type { LiveMount, Mount, PortForward } from "../machine/boot-options.ts";

/**
 * A place where machines run, as the UI and the CLI know it. They never touch the registry, the
 * file system of the machines or QEMU behind its back, so that another host can stand here later.
 */
export interface Host {
  /** Every live machine, oldest first. */
  list(): Promise<MachineInfo[]>;
  /**
   * Calls back when machines may have come, gone or got another name. Of what a machine does, or that
   * it was killed, only `list` tells. Returns how to stop; undefined when this host cannot tell.
   */
  watch?(onChange: () => void): (() => void) | undefined;
  /** Boot a machine that outlives this process. Resolves when its agent answers. */
  boot(options?: HostBootOptions): Promise<MachineInfo>;
  /** Copy a running machine. Resolves when the copy's agent answers and its clock is right. */
  fork(id: string, options?: HostResumeOptions): Promise<MachineInfo>;
  /** Several copies of the same moment. Default names: the first free ones of the machine's series. */
  forkMany(
    id: string,
    count: number,
    options?: Pick<HostResumeOptions, "memoryMib">,
  ): Promise<MachineInfo[]>;
  /** Have the machine's next fork ready, for as long as this process and the machine live. */
  prepareFork(id: string): Promise<void>;
  /** Write a bundle; the machine keeps running unless `stop` is set. Default directory: a new one under `snapshotRoot()`. */
  snapshot(
    id: string,
    options?: { directory?: string; stop?: boolean },
  ): Promise<{ directory: string }>;
  restore(directory: string, options?: HostResumeOptions): Promise<MachineInfo>;
  /** Bundles under the snapshot root, newest first. */
  listSnapshots(): Promise<SnapshotInfo[]>;
  /** Give a running machine another name, also as its host name. */
  rename(id: string, name: string): Promise<void>;
  /** Power the machine off; ends it for certain after `graceMs` (default 3000). */
  stop(id: string, options?: { graceMs?: number }): Promise<void>;
  /** What differs between two machines: files, processes, sessions. */
  compare(a: string, b: string): Promise<MachineDifference>;
  /** At most `limit` bytes of a regular file of a machine; undefined when it has no such file. */
  readFile(id: string, path: string, limit: number): Promise<Buffer | undefined>;
  /** Run a command to its end. */
  exec(id: string, command: string, options?: { timeoutMs?: number }): Promise<ExecResult>;
  /**
   * Copy a file or directory of this computer, or a tar archive, to a path on the machine, by the rules of
   * `docker cp`.
   */
  copyIn(id: string, from: string | Readable, to: string, options?: CopyOptions): Promise<void>;
  /** Copy a file or directory of the machine to a path on this computer, or write it as a tar archive. */
  copyOut(id: string, from: string, to: string | Writable, options?: CopyOptions): Promise<void>;
  /** Attach to a named session, creating it with `command` (default: a login shell) when there is none. */
  openSession(id: string, options: OpenSessionOptions): Promise<SessionHandle>;
  listSessions(id: string): Promise<SessionInfo[]>;
}

export interface MachineInfo {
  /** The VMM's pid in decimal: unique while it lives. */
  id: string;
  pid: number;
  name?: string;
  /** Set for a pane on this computer, which is no machine: the program it runs. */
  local?: string;
  state: "booting" | "running" | "paused";
  /** ms since the epoch */
  startedAt: number;
  /** Guest RAM its programs can use, MiB. */
  memoryMib?: number;
  /** Host memory it holds now, bytes; memory it shares with others is counted in proportion. */
  rssBytes?: number;
  /** The part of it that is its own, and the part that is its share of what several machines use. */
  privateBytes?: number;
  sharedBytes?: number;
  /** The machine it was forked from, when known: its pid and its name at that time. */
  parentPid?: number;
  parentName?: string;
  /** The bundle it was restored from. */
  forkedFrom?: string;
  /** Pages of 4096 bytes of its memory that were mapped from there, when it was restored so. */
  lazyPages?: number;
  imagePath?: string;
  /** Host ports that lead into it. */
  portForward?: PortForward[];
  /** Host directories it sees live. */
  liveMounts?: Required<LiveMount>[];
}

export interface HostResumeOptions {
  name?: string | undefined;
  /** Guest RAM its programs can use, MiB: less than the source's. Default, and at most: as the source. */
  memoryMib?: number | undefined;
  /** Of a bundle: map its memory instead of reading it. */
  lazy?: boolean | undefined;
  portForward?: PortForward[];
  /** Other host directories for live mounts of the source. */
  liveMounts?: LiveMount[];
  /** A host directory copied in, besides what the source has. */
  mount?: Mount;
}

export interface HostBootOptions {
  name?: string;
  /** `tiny` (default), `debian`, or the path of a rootfs tarball. */
  image?: string;
  /** MiB; default 512. */
  memoryMib?: number;
  /** Virtual processors; default 1. */
  cpus?: number;
  /** Default: idle until stopped. */
  command?: string[];
  env?: Record<string, string>;
  portForward?: PortForward[];
  liveMounts?: LiveMount[];
  /** A host directory copied in, below /mnt. */
  mount?: Mount;
  /** Default true. */
  network?: boolean;
}

export interface SnapshotInfo {
  directory: string;
  sourceName?: string;
  /** ms since the epoch */
  takenAt: number;
}

export interface ExecResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface SessionInfo {
  name: string;
  pid: number;
  cols: number;
  rows: number;
  clients: number;
  command: string;
}

export interface OpenSessionOptions {
  /** Default `main`. */
  name?: string;
  command?: string;
  cols: number;
  rows: number;
  /**
   * What the session had written before this attach, drawn at `cols` x `rows`. Comes before any
   * output, and again (with `again` true: start from a blank screen) when this client was too slow
   * and was skipped. Queries in these bytes must not be answered.
   */
  onReplay?: (replay: { cols: number; rows: number; bytes: Buffer; again: boolean }) => void;
}

/** One client of a session. Closing it leaves the session running. */
export interface SessionHandle {
  /** Pid of the session's first process in the guest. */
  readonly pid: number;
  readonly stdin: Writable;
  /** Live output; pausing it stops the guest program, as a full pipe would. */
  readonly stdout: Readable;
  /** The same stream as `stdout`: a PTY has one. */
  readonly stderr: Readable;
  resize(cols: number, rows: number): void;
  /** Resolves when the session's command ends; rejects when the connection is lost first. */
  wait(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Detach. */
  close(): void;
}

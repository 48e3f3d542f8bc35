import type { Readable, Writable } from "node:stream";
import type {
  VsockExecOptions,
  VsockExecPtyHandle,
  VsockExecPtyOptions,
  VsockExecResult,
} from "../exec/index.ts";
import type { VsockFilesOptions } from "../files/index.ts";
import type {
  ForkManyOptions,
  ForkOptions,
  SnapshotOptions,
  SnapshotResult,
} from "../snapshot/options.ts";

/** A machine, whoever booted it. */
export interface VmHandle {
  /** Pid of the VMM. */
  readonly pid: number;
  readonly name?: string;
  /** The guest's console input. Inert on attached handles. */
  readonly stdin: Writable;
  /** What the VMM prints. Inert on attached handles. */
  readonly stdout: Readable;
  /** The guest's console. Inert on attached handles. */
  readonly stderr: Readable;
  /** Resolves when the VMM has ended. Past the boot's `timeoutMs` it kills the machine and rejects. */
  wait(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** SIGKILL. Resolves when the machine and everything it kept on the host are gone. */
  kill(): Promise<void>;
  /** Let go of the machine; it keeps running (unless it is to die with this process: see `pdeathsig`). The streams end. */
  detach(): Promise<void>;
  /** Everything on `stdout` until the VMM ends: the last MiB. */
  output(): Promise<string>;
  /** The same for `stderr`. */
  errorOutput(): Promise<string>;
  /** Run a shell command in the guest. @throws {ExecError} EXEC_NONZERO_EXIT (`instanceof BootError` too) when it fails. */
  exec(cmd: string, opts?: VsockExecOptions): Promise<VsockExecResult>;
  /** The same, but a failing command is a normal result. */
  execRaw(cmd: string, opts?: VsockExecOptions): Promise<VsockExecResult>;
  /**
   * Run a command on a PTY in the guest. With `opts.session` the PTY has a name, outlives this client and
   * is joined rather than started when it is there already.
   */
  execPty(cmd: string, opts: VsockExecPtyOptions): VsockExecPtyHandle;
  /** Write a file in the guest. @throws {ExecError} EXEC_NONZERO_EXIT when it cannot be written. */
  writeFile(guestPath: string, contents: Buffer | string, opts?: WriteFileOptions): Promise<void>;
  /** Write the whole machine (memory, devices, disks) into a bundle. It ends then, and also when that takes too long, unless `leaveRunning`. */
  snapshot(opts: SnapshotOptions): Promise<SnapshotResult>;
  /** What the machine costs the host now. */
  memoryStats(): Promise<MemoryStats>;
  /** A copy of this running machine, with its processes, sessions and disks. This one goes on. */
  fork(opts?: ForkOptions): Promise<VmHandle>;
}

/** A machine as `boot()`, `attach()`, `restore()` and a fork give it. */
export interface Machine extends VmHandle {
  fork(opts?: ForkOptions): Promise<Machine>;
  /** `VsockFiles.push` to this machine. @throws {FilesError} as there */
  push(hostDir: string, guestPath: string, opts?: VsockFilesOptions): Promise<void>;
  /** `VsockFiles.pull` from this machine. @throws {FilesError} as there */
  pull(guestPath: string, hostDir: string, opts?: VsockFilesOptions): Promise<void>;
  /** Several copies of the same moment: this machine is stopped once. All or none. */
  forkMany(count: number, opts?: ForkManyOptions): Promise<Machine[]>;
  /**
   * Have this machine's next `fork()` ready: a VMM that waits, with memory of its own of some 10 MB, until
   * this process or the machine ends. A process holds at most two, and replaces one that was used. Such a
   * fork is not for calls with `binary`, `args`, `vmmEnv`, `outDir` or `pdeathsig`.
   */
  prepareFork(): Promise<void>;
}

export interface MemoryStats {
  /**
   * MiB the guest can use now; `null` when the caller set `MACHINEN_MEMORY` itself. Of a fork or restored machine
   * that was given less `memory` than its source: that, or more while its programs use more.
   */
  ceilingMib: number | null;
  /** Host memory held by the machine's processes; `null` when it has ended. */
  hostRssBytes: number | null;
  /** Bytes the guest has given back since it started. */
  balloonInflatedBytes: number;
  /** Pages of 4096 bytes that lie in its bundle only; 0 unless it was restored with `lazy`. */
  lazyPagesPending: number;
}

export interface WriteFileOptions {
  /** For instance `0o755`. Default: left as it is. */
  mode?: number;
  /** Create missing parent directories. Default true. */
  recursive?: boolean;
  /** Append instead of overwriting. Default false. */
  append?: boolean;
}

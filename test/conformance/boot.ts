import type { Readable, Writable } from "node:stream";
import {
  type AttachOptions,
  attach,
  type BootOptions,
  boot,
  bootSnapshotPath,
  buildMachinenConfig,
  buildWriteFileCmd,
  buildWriteFileCmds,
  detachedLogRoot,
  type MemoryStats,
  measureFirstByte,
  type OnLog,
  resolveVmmBinary,
  type VmHandle,
  type VsockExecPtyHandle,
  type VsockExecResult,
  type WriteFileOptions,
  writeBootSnapshot,
} from "../../src/runtime/index.ts";

declare const text: string;
declare const count: number;
declare const flag: boolean;
declare const texts: string[];
declare const table: Record<string, string>;
declare const mode: "ro" | "rw";
declare const onLog: OnLog;

/** Machines: how they are started, found, and what can be done with one. Never run, only compiled. */
export const statements = {
  BootOptions() {
    const every: BootOptions = {
      image: text,
      cmd: texts,
      env: table,
      guestCwd: text,
      snapshot: flag ? text : (false as const),
      rootDisk: flag ? flag : text,
      rootDiskSizeBytes: count,
      name: text,
      forkedFrom: text,
      mount: { host: text, guest: text },
      mountDiskUpperSizeBytes: count,
      _restoreMountDisk: { guest: text, lowerPath: text, upperPath: text },
      liveMounts: [
        { host: text, guest: text },
        { host: text, guest: text, mode },
      ],
      portForward: [
        { hostPort: count, guestPort: count },
        { hostPort: count, guestPort: count, hostAddr: text },
      ],
      binary: text,
      cwd: text,
      args: texts,
      kernel: text,
      dtb: text,
      memory: count,
      pdeathsig: flag,
      timeoutMs: flag ? count : null,
      vmmEnv: table,
      onLog,
      detached: flag,
    };
    const none: BootOptions = {};
    const read: [
      string | undefined,
      string[] | undefined,
      Record<string, string> | undefined,
      string | false | undefined,
      boolean | string | undefined,
      number | null | undefined,
      { host: string; guest: string } | undefined,
      Array<{ host: string; guest: string; mode?: "ro" | "rw" }> | undefined,
      Array<{ hostPort: number; guestPort: number; hostAddr?: string }> | undefined,
    ] = [
      every.image,
      every.cmd,
      every.env,
      every.snapshot,
      every.rootDisk,
      every.timeoutMs,
      every.mount,
      every.liveMounts,
      every.portForward,
    ];
    return [every, none, read];
  },

  async boot() {
    const withNothing: Promise<VmHandle> = boot();
    const vm: VmHandle = await boot({ image: text, cmd: texts });
    return [withNothing, vm];
  },

  AttachOptions() {
    const all: AttachOptions[] = [{}, { pid: count }, { name: text }, { name: text, onLog }];
    return all;
  },

  async attach() {
    const vm: VmHandle = await attach({ pid: count });
    return vm;
  },

  async VmHandle(vm: VmHandle) {
    const pid: number = vm.pid;
    const name: string | undefined = vm.name;
    const streams: { stdin: Writable; stdout: Readable; stderr: Readable } = vm;
    const ended: { code: number | null; signal: NodeJS.Signals | null } = await vm.wait();
    const nothing: Promise<void>[] = [vm.kill(), vm.detach()];
    const printed: Promise<string>[] = [vm.output(), vm.errorOutput()];
    const results: Promise<VsockExecResult>[] = [
      vm.exec(text),
      vm.exec(text, { execTimeoutMs: null }),
      vm.execRaw(text, { retryMs: count }),
    ];
    const pty: VsockExecPtyHandle = vm.execPty(text, {
      cols: count,
      rows: count,
      stdin: streams.stdout,
      stdout: streams.stdin,
    });
    const written: Promise<void> = vm.writeFile(text, Buffer.from(text), { mode: 0o755 });
    const { snapDir }: { snapDir: string } = await vm.snapshot({ outDir: text });
    const stats: MemoryStats = await vm.memoryStats();
    const forks: Promise<VmHandle>[] = [vm.fork(), vm.fork({ name: text })];
    return [pid, name, ended, nothing, printed, results, pty, written, snapDir, stats, forks];
  },

  /** Also of a machine of the program's own making, for example in its tests. */
  async measureFirstByte(
    vm: VmHandle,
    streams: { stdin: Writable; stdout: Readable; stderr: Readable },
  ) {
    const own: VmHandle = {
      pid: count,
      ...streams,
      wait: async () => ({ code: 0, signal: null }),
      kill: async () => {},
      detach: async () => {},
      output: async () => text,
      errorOutput: async () => text,
      exec: async () => ({ exitCode: 0, stdout: text, stderr: text }),
      execRaw: async () => ({ exitCode: 0, stdout: text, stderr: text }),
      execPty: (cmd, opts) => vm.execPty(cmd, opts),
      writeFile: async () => {},
      snapshot: (opts) => vm.snapshot(opts),
      memoryStats: () => vm.memoryStats(),
      fork: async () => own,
    };
    const ms: number[] = [await measureFirstByte(vm), await measureFirstByte(own)];
    return ms;
  },

  MemoryStats(stats: MemoryStats) {
    const known: {
      ceilingMib: number | null;
      hostRssBytes: number | null;
      balloonInflatedBytes: number;
      lazyPagesPending: number;
    } = stats;
    const own: MemoryStats = { ...known, ceilingMib: null, hostRssBytes: null };
    return own;
  },

  WriteFileOptions() {
    const all: WriteFileOptions[] = [{}, { mode: count, recursive: flag, append: flag }];
    return all;
  },

  buildWriteFileCmd() {
    const commands: string[] = [
      buildWriteFileCmd(text, text),
      buildWriteFileCmd(text, Buffer.from(text), { append: true }),
    ];
    return commands;
  },

  buildWriteFileCmds() {
    const commands: string[] = buildWriteFileCmds(text, flag ? text : Buffer.from(text), {});
    return commands;
  },

  buildMachinenConfig() {
    const config: Record<string, unknown> = buildMachinenConfig({
      cmd: texts,
      env: table,
      guestCwd: text,
      imageCwd: text,
      liveMounts: [],
    });
    const share = { host: text, guest: text, port: count, udsPath: text, statsPath: text, mode };
    return [config, buildMachinenConfig({ cmd: texts, env: table, liveMounts: [share] })];
  },

  bootSnapshotPath() {
    const path: string = bootSnapshotPath(count);
    return path;
  },

  detachedLogRoot() {
    const path: string = detachedLogRoot();
    return path;
  },

  writeBootSnapshot() {
    const written: boolean = writeBootSnapshot(text, text);
    return written;
  },

  resolveVmmBinary() {
    const path: string = resolveVmmBinary();
    return path;
  },
};

import {
  type ForkOptions,
  type OnLog,
  type RestoreOptions,
  restore,
  type SnapshotMeta,
  type SnapshotOptions,
  type SnapshotResult,
  type VmHandle,
} from "../../src/runtime/index.ts";

declare const text: string;
declare const count: number;
declare const flag: boolean;
declare const mode: "ro" | "rw";
declare const table: Record<string, string>;
declare const onLog: OnLog;

/** What a restored machine and a fork may be told alike. */
const resumed = {
  env: table,
  guestCwd: text,
  rootDisk: false,
  rootDiskSizeBytes: count,
  forkedFrom: text,
  mount: { host: text, guest: text },
  mountDiskUpperSizeBytes: count,
  liveMounts: [{ host: text, guest: text, mode }],
  portForward: [{ hostPort: count, guestPort: count, hostAddr: text }],
  binary: text,
  cwd: text,
  args: [text],
  kernel: text,
  dtb: text,
  memory: count,
  pdeathsig: flag,
  timeoutMs: null,
  vmmEnv: table,
  onLog,
  detached: flag,
  image: text,
  name: text,
  lazy: flag,
};

/** Saving a machine and going on from there. Never run, only compiled. */
export const statements = {
  SnapshotOptions() {
    const all: SnapshotOptions[] = [
      { outDir: text },
      {
        outDir: text,
        dumpCmd: text,
        timeoutMs: count,
        onLog,
        leaveRunning: flag,
        tcpClose: flag,
      },
    ];
    return all;
  },

  SnapshotResult(result: SnapshotResult) {
    const known: { snapDir: string; imgDir: string; elapsedMs: number; consoleLog: string } =
      result;
    const own: SnapshotResult = { ...known };
    return own;
  },

  SnapshotMeta(meta: SnapshotMeta) {
    const known: {
      sourceName?: string;
      sourceImage?: string;
      snappedAt: number;
      mountDisk?: { guest: string; lower: string; upper: string };
      liveMounts?: Array<{ guest: string; host: string; mode: "ro" | "rw" }>;
    } = meta;
    const own: SnapshotMeta[] = [known, { snappedAt: count }];
    return own;
  },

  RestoreOptions() {
    const all: RestoreOptions[] = [{ snapDir: text }, { snapDir: text, ...resumed }];
    return all;
  },

  async restore() {
    const vm: VmHandle = await restore({ snapDir: text });
    return vm;
  },

  ForkOptions() {
    const all: ForkOptions[] = [
      {},
      { ...resumed, outDir: text, tcpKeep: flag, freeMemoryThreshold: count },
    ];
    return all;
  },
};

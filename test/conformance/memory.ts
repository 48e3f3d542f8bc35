import {
  autoSizeMemoryMib,
  type BalloonCounters,
  type CheckForkBackpressureOptions,
  checkForkBackpressure,
  DEFAULT_FREE_MEMORY_THRESHOLD,
  type RssTarget,
  readBalloonStats,
  readHostFreeBytes,
  readHostRssBytes,
  readHostRssBytesMulti,
  readHostTotalBytes,
  STATS_FILE_SIZE,
} from "../../src/runtime/index.ts";

declare const text: string;
declare const count: number;

/** The memory of host and machines. Never run, only compiled. */
export const statements = {
  autoSizeMemoryMib() {
    const sizes: number[] = [autoSizeMemoryMib(), autoSizeMemoryMib(count)];
    return sizes;
  },

  BalloonCounters(counters: BalloonCounters) {
    const known: { bytesReported: number; bytesInflated: number; hostPhysFootprintBytes: number } =
      counters;
    const own: BalloonCounters = { ...known };
    return own;
  },

  readBalloonStats() {
    const counters: BalloonCounters | null = readBalloonStats(text);
    return counters;
  },

  STATS_FILE_SIZE() {
    const size: 24 = STATS_FILE_SIZE;
    return size;
  },

  CheckForkBackpressureOptions() {
    const all: CheckForkBackpressureOptions[] = [
      { threshold: count },
      { threshold: count, readFree: async () => count, totalBytes: count },
    ];
    return all;
  },

  checkForkBackpressure() {
    const checked: Promise<void> = checkForkBackpressure({ threshold: 0 });
    return checked;
  },

  DEFAULT_FREE_MEMORY_THRESHOLD() {
    const threshold: 0.01 = DEFAULT_FREE_MEMORY_THRESHOLD;
    return threshold;
  },

  RssTarget(target: RssTarget) {
    const known: { pid: number; statsPath?: string } = target;
    const own: RssTarget[] = [known, { pid: count }];
    return own;
  },

  readHostRssBytes() {
    const bytes: Array<number | null> = [readHostRssBytes(count), readHostRssBytes(count, text)];
    return bytes;
  },

  readHostRssBytesMulti() {
    const targets: ReadonlyArray<RssTarget | number> = [count, { pid: count, statsPath: text }];
    const bytes: Map<number, number> = readHostRssBytesMulti(targets);
    return bytes;
  },

  readHostFreeBytes() {
    const bytes: Promise<number> = readHostFreeBytes();
    return bytes;
  },

  readHostTotalBytes() {
    const bytes: number = readHostTotalBytes();
    return bytes;
  },
};

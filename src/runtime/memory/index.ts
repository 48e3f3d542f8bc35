export {
  type BalloonCounters,
  readBalloonStats,
  STATS_FILE_SIZE,
} from "./balloon-stats.ts";
export { autoSizeMemoryMib, validateMemoryMib } from "./guest-memory.ts";
export {
  type CheckForkBackpressureOptions,
  checkForkBackpressure,
  DEFAULT_FREE_MEMORY_THRESHOLD,
  readHostFreeBytes,
  readHostTotalBytes,
} from "./host-memory.ts";
export {
  type HostMemory,
  type RssTarget,
  readHostMemory,
  readHostRssBytes,
  readHostRssBytesMulti,
} from "./rss.ts";

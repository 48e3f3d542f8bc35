import { readBalloonStats, readHostRssBytes } from "../memory/index.ts";
import type { RegistryEntry } from "../registry/index.ts";
import type { MemoryStats } from "./vm-handle.ts";

export function memoryStatsOf(entry: RegistryEntry): MemoryStats {
  const balloon = entry.statsPath ? readBalloonStats(entry.statsPath) : null;
  return {
    ceilingMib: entry.memoryCeilingMib ?? null,
    hostRssBytes: readHostRssBytes(entry.pid, entry.statsPath),
    balloonInflatedBytes: balloon?.bytesReported ?? 0,
    lazyPagesPending: 0,
  };
}

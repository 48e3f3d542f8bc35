import { vmmStatus } from "../control/vmm-control.ts";
import { readBalloonStats, readHostRssBytes } from "../memory/index.ts";
import type { RegistryEntry } from "../registry/index.ts";
import type { MemoryStats } from "./vm-handle.ts";

const MIB = 2 ** 20;

/** MiB a machine can use now: of one with a limit, what the VMM sees outside of the balloon. */
export function memoryCeilingOf(entry: RegistryEntry): number | undefined {
  const { memorySizeMib, memoryCeilingMib, statsPath } = entry;
  const balloon =
    memorySizeMib === undefined || statsPath === undefined ? null : readBalloonStats(statsPath);
  if (memorySizeMib === undefined || balloon === null) return memoryCeilingMib;
  return memorySizeMib - Math.floor(balloon.bytesInflated / MIB);
}

/** Of a machine that maps its bundle; whoever attached later may know it by its entry only. */
async function lazyPagesPending({ lazyPagesTotal, controlPath }: RegistryEntry): Promise<number> {
  if (!lazyPagesTotal || controlPath === undefined) return 0;
  const status = await vmmStatus(controlPath).catch(() => undefined);
  return status?.lazyPending ?? 0;
}

export async function memoryStatsOf(entry: RegistryEntry): Promise<MemoryStats> {
  const balloon = entry.statsPath ? readBalloonStats(entry.statsPath) : null;
  return {
    ceilingMib: memoryCeilingOf(entry) ?? null,
    hostRssBytes: readHostRssBytes(entry.pid, entry.statsPath),
    balloonInflatedBytes: balloon?.bytesReported ?? 0,
    lazyPagesPending: await lazyPagesPending(entry),
  };
}

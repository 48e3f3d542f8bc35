import { vmmStatus } from "../control/vmm-control.ts";
import { memoryCeilingOf } from "../machine/memory-stats.ts";
import { readHostMemory, readHostRssBytes } from "../memory/index.ts";
import type { RegistryEntry } from "../registry/index.ts";
import type { MachineInfo } from "./host.ts";

/** A list must not wait long for one machine that hangs. */
const STATUS_MS = 300;
/** A VMM this young may not have made its control socket yet. */
const YOUNG_MS = 5000;

/** The state as its VMM tells it. A VMM that does not answer is starting, or stopped itself. */
async function machineState(entry: RegistryEntry): Promise<MachineInfo["state"]> {
  if (!entry.controlPath) return "running";
  try {
    const status = await vmmStatus(entry.controlPath, STATUS_MS);
    return status.state === "running" && !status.linked ? "booting" : status.state;
  } catch {
    return Date.now() - entry.startedAt < YOUNG_MS ? "booting" : "paused";
  }
}

/** Counting pages takes the kernel a moment: once for both parts and their sum. */
function memoryOf(
  entry: RegistryEntry,
): Pick<MachineInfo, "rssBytes" | "privateBytes" | "sharedBytes"> {
  const parts = readHostMemory(entry.pid);
  if (parts) return { rssBytes: parts.privateBytes + parts.sharedBytes, ...parts };
  return { rssBytes: readHostRssBytes(entry.pid, entry.statsPath) ?? undefined };
}

export async function machineInfo(entry: RegistryEntry): Promise<MachineInfo> {
  return {
    id: String(entry.pid),
    pid: entry.pid,
    name: entry.name,
    state: await machineState(entry),
    startedAt: entry.startedAt,
    memoryMib: memoryCeilingOf(entry),
    ...memoryOf(entry),
    parentPid: entry.parentPid,
    parentName: entry.parentName,
    forkedFrom: entry.forkedFrom,
    lazyPages: entry.lazyPagesTotal,
    imagePath: entry.imagePath,
    portForward: entry.portForward,
    liveMounts: entry.liveMounts,
  };
}

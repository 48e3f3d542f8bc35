import { setTimeout as sleep } from "node:timers/promises";
import { vmmStatus } from "../control/vmm-control.ts";
import type { OnLog } from "../log.ts";
import { memoryCeilingOf } from "../machine/memory-stats.ts";
import type { StartedMachine } from "../machine/start-machine.ts";
import { type RegistryEntry, updateEntry } from "../registry/index.ts";

/** What a machine to be copied has, MiB: the RAM it was made with, and how much of it its programs can use. */
export interface SourceMemory {
  memoryMib?: number;
  ceilingMib?: number;
}

/** What becomes of `memory` in a copy. */
export interface MemoryPlan {
  /** As its registry entry is to have it. */
  record: Pick<RegistryEntry, "memoryCeilingMib" | "memorySizeMib">;
  /** What was asked for, where it is not what the source has. */
  wantedMib?: number;
  /** What a balloon in the copy is to leave it. */
  limitMib?: number;
}

const LARGEST_LIMIT_MIB = 2 ** 20;
const POLL_MS = 50;
/** An emulated guest fills some 300 MiB of a balloon in a second: large ones come down while they are in use. */
const SETTLE_MS = 10_000;

/** Of a machine in the registry. */
export function memoryOf(entry: RegistryEntry): SourceMemory {
  return {
    memoryMib: entry.memorySizeMib ?? entry.memoryCeilingMib,
    ceilingMib: memoryCeilingOf(entry),
  };
}

/** A copy cannot have more RAM than its source was made with; less is a matter of a balloon. Pure. */
export function planMemory(wanted: number | undefined, source: SourceMemory): MemoryPlan {
  const { memoryMib: size, ceilingMib: ceiling = size } = source;
  const record = {
    memoryCeilingMib: ceiling,
    ...(ceiling === size ? {} : { memorySizeMib: size }),
  };
  if (wanted === undefined || wanted === ceiling) return { record };
  const limit = Math.min(wanted, size ?? LARGEST_LIMIT_MIB);
  return { record, wantedMib: wanted, ...(limit === ceiling ? {} : { limitMib: limit }) };
}

function tell(onLog: OnLog | undefined, wanted: number, reason: string): void {
  const chunk = Buffer.from(`machinen: memory ${wanted}: the machine ${reason}\n`);
  onLog?.({ source: "guest-console", chunk });
}

/** Where the balloon has come to rest, or is when that takes long. */
async function settledStatus({ entry, hasExited }: StartedMachine) {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const status = await vmmStatus(entry.controlPath!).catch(() => undefined);
    if (status?.limit !== undefined && status.limit !== "busy") return status;
    if (hasExited() || performance.now() > deadline) return status;
    await sleep(POLL_MS);
  }
}

/** Wait a while until a machine that runs has the memory it is to have, and say so where it has not. */
export async function settleMemory(
  started: StartedMachine,
  { wantedMib, limitMib }: MemoryPlan,
  onLog?: OnLog,
): Promise<void> {
  const { entry } = started;
  if (wantedMib === undefined) return;
  const status = limitMib === undefined ? undefined : await settledStatus(started);
  if (status?.memoryMib !== undefined && status.ceilingMib !== undefined) {
    entry.memorySizeMib = status.memoryMib;
    entry.memoryCeilingMib = status.ceilingMib;
    updateEntry(entry.pid, {
      memorySizeMib: entry.memorySizeMib,
      memoryCeilingMib: entry.memoryCeilingMib,
    });
  }
  const has = entry.memoryCeilingMib;
  if (has === undefined || has === wantedMib) return;
  if (has < wantedMib) tell(onLog, wantedMib, `goes on with the ${has} MiB of its source`);
  else if (status?.limit === "busy") tell(onLog, wantedMib, `has ${has} MiB and comes down to it`);
  else tell(onLog, wantedMib, `uses more and has ${has} MiB until it needs less`);
}

import { setTimeout as sleep } from "node:timers/promises";
import { vmmStatus } from "../control/vmm-control.ts";
import { processOf } from "../machine/end-machine.ts";
import type { RegistryEntry } from "../registry/index.ts";

const COMING_UP_MS = 60_000;

/**
 * Wait while a machine is still booting: only a guest whose agent has been met can be captured. Whatever
 * else is wrong with it the capture itself will say.
 */
export async function waitUntilUp(entry: RegistryEntry, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + COMING_UP_MS;
  while (performance.now() < deadline && !signal?.aborted && processOf(entry)) {
    const status = await vmmStatus(entry.controlPath ?? "").catch(() => undefined);
    // A young VMM may not have made its control socket yet.
    const isComing = status ? status.state === "booting" : Date.now() - entry.startedAt < 1000;
    if (!isComing) return;
    await sleep(20);
  }
}

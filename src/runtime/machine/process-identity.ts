import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { readProcess } from "../registry/process.ts";

/** A process that cannot be confused with a later one of the same pid. */
export interface ProcessIdentity {
  pid: number;
  identity: string;
}

/** The process that runs under this pid now; zombies do not run. */
export function identify(pid: number): ProcessIdentity | undefined {
  const identity = readProcess(pid)?.identity;
  return identity === undefined ? undefined : { pid, identity };
}

export function isRunning(process: ProcessIdentity): boolean {
  return readProcess(process.pid)?.identity === process.identity;
}

/** Direct children, as far as the kernel lists them. */
export function childrenOf(pid: number): ProcessIdentity[] {
  const children: ProcessIdentity[] = [];
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const listed = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim();
      for (const child of listed === "" ? [] : listed.split(" ")) {
        const identity = identify(Number(child));
        if (identity) children.push(identity);
      }
    }
  } catch {
    // The process has ended, or there is no /proc.
  }
  return children;
}

/** Send a signal to exactly this process. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch {
    // It ended in between.
  }
}

/** Whether all of them ended within the time. */
export async function waitUntilGone(
  identities: ProcessIdentity[],
  timeoutMs: number,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  let pause = 2;
  while (identities.some(isRunning)) {
    if (performance.now() >= deadline) return false;
    await sleep(pause);
    pause = Math.min(pause * 2, 50);
  }
  return true;
}

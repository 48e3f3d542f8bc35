import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import type { Host, MachineInfo } from "../runtime/host/host.ts";
import { Interrupted } from "./report-error.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Direct children of this process, which is where a machine in the making hangs. */
function childPids(): number[] {
  try {
    return readdirSync("/proc/self/task").flatMap((task) =>
      readFileSync(`/proc/self/task/${task}/children`, "utf8")
        .split(" ")
        .filter(Boolean)
        .map(Number),
    );
  } catch {
    return [];
  }
}

/**
 * Runs something that makes a machine. A signal meanwhile ends the half-made one (its maker then
 * fails and cleans up), or stops it when it was just finished.
 */
export async function makeMachine(
  host: Host,
  make: () => Promise<MachineInfo>,
): Promise<MachineInfo> {
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    received ??= signal;
    for (const pid of childPids()) {
      try {
        process.kill(pid, "SIGTERM");
      } catch {
        // It has just ended by itself.
      }
    }
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    const machine = await make();
    if (received) await host.stop(machine.id, { graceMs: 0 });
    else return machine;
  } catch (error) {
    if (!received) throw error;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
  throw new Interrupted(128 + constants.signals[received]);
}

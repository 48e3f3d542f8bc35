import { constants } from "node:os";
import { endChildren } from "../runtime/host/end-children.ts";
import type { Host, MachineInfo } from "../runtime/host/host.ts";
import { Interrupted } from "./report-error.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

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
    endChildren();
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

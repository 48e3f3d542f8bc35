import { constants } from "node:os";
import { endChildren } from "../runtime/host/end-children.ts";
import type { Host, MachineInfo } from "../runtime/host/host.ts";
import { Interrupted } from "./report-error.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs something that makes a machine; see `makeMachines`. */
export async function makeMachine(
  host: Host,
  make: () => Promise<MachineInfo>,
): Promise<MachineInfo> {
  const [machine] = await makeMachines(host, async () => [await make()]);
  return machine!;
}

/**
 * Runs something that makes machines. A signal meanwhile ends the half-made ones (their maker then
 * fails and cleans up), or stops them when they were just finished.
 */
export async function makeMachines(
  host: Host,
  make: () => Promise<MachineInfo[]>,
): Promise<MachineInfo[]> {
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    received ??= signal;
    endChildren();
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    const machines = await make();
    if (!received) return machines;
    await Promise.all(machines.map(({ id }) => host.stop(id, { graceMs: 0 })));
  } catch (error) {
    if (!received) throw error;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
  throw new Interrupted(128 + constants.signals[received]);
}

/**
 * Runs something that ends cleanly when its signal is aborted: a signal to us does so, and ends what it has
 * started, so that it need not wait for it.
 */
export async function abortable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    received ??= signal;
    controller.abort();
    endChildren();
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await work(controller.signal);
  } catch (error) {
    throw received ? new Interrupted(128 + constants.signals[received]) : error;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import { VmmRefusal, vmmForwards } from "../control/vmm-control.ts";
import { BootError, type ErrorCode } from "../errors.ts";
import { readEntry } from "../registry/index.ts";
import type { BootOptions } from "./boot-options.ts";
import { outputOfEnded } from "./readiness.ts";
import type { StartedMachine } from "./start-machine.ts";
import type { MachineVariables } from "./vmm-environment.ts";

export type NetworkOptions = Pick<BootOptions, "network" | "portForward">;

const POLL_MS = 5;
const ANSWER_MS = 1000;

/** What the VMM says of a forward it does not make. */
const CODES: Record<string, ErrorCode> = {
  PORT_IN_USE: "BOOT_PORT_FORWARD_IN_USE",
  PORT_REFUSED: "BOOT_PORT_FORWARD_INVALID",
  BAD_FORWARD: "BOOT_PORT_FORWARD_INVALID",
  NETWORK_OFF: "BOOT_PORT_FORWARD_INVALID",
  NETWORK_MISSING: "BOOT_PORT_FORWARD_NO_GVPROXY",
};
const REFUSAL = new RegExp(`^(${Object.keys(CODES).join("|")}): (.*)$`, "m");

/** Unset, the caller's own `MACHINEN_NETWORK` stands. */
export function networkVariables({ network, portForward = [] }: NetworkOptions): MachineVariables {
  const forwards = portForward.map(
    ({ hostAddr = "127.0.0.1", hostPort, guestPort }) => `${hostAddr}:${hostPort}:${guestPort}`,
  );
  return {
    ...(network === undefined ? {} : { MACHINEN_NETWORK: network ? "1" : "0" }),
    ...(forwards.length > 0 ? { MACHINEN_FORWARD: forwards.join(",") } : {}),
  };
}

/** What the registry is told of a machine's forwards. */
export function forwardRecord({ portForward = [] }: NetworkOptions): NetworkOptions {
  return portForward.length > 0 ? { portForward } : {};
}

/** A holder that is one of our machines is better known by its name. */
function nameHolder(message: string): string {
  const pid = Number(/\(pid (\d+)\)$/.exec(message)?.[1]);
  const name = pid > 0 ? readEntry(pid)?.name : undefined;
  return name === undefined ? message : `${message}, the machine ${name}`;
}

/** The error behind a refused forward, out of what the VMM printed. Pure but for the registry. */
export function forwardError(printed: string): BootError | undefined {
  const [, code, message] = REFUSAL.exec(printed) ?? [];
  if (code === undefined) return undefined;
  return new BootError(CODES[code]!, `portForward: ${nameHolder(message!)}`, {
    retryable: code === "PORT_IN_USE",
  });
}

/**
 * Wait until the VMM has the ports it was asked for: it takes them before anything else. A machine that
 * ended for another reason is left to who waits for it.
 *
 * @throws {BootError} BOOT_PORT_FORWARD_IN_USE | BOOT_PORT_FORWARD_INVALID | BOOT_PORT_FORWARD_NO_GVPROXY
 */
export async function waitForForwards(
  started: StartedMachine,
  { portForward = [] }: NetworkOptions,
): Promise<void> {
  if (portForward.length === 0 || !started.entry.controlPath) return;
  while (!started.hasExited()) {
    try {
      await vmmForwards(started.entry.controlPath, ANSWER_MS);
      return;
    } catch (error) {
      if (error instanceof VmmRefusal) break;
    }
    await sleep(POLL_MS);
  }
  if (started.hasExited()) await outputOfEnded(started);
  const error = forwardError(started.stderr.tail.text());
  if (error) throw error;
}

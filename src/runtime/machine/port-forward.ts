import type { BootOptions } from "./boot-options.ts";
import { waitUntilTaken } from "./readiness.ts";
import { refusalError } from "./refusal.ts";
import type { StartedMachine } from "./start-machine.ts";
import type { MachineVariables } from "./vmm-environment.ts";

export type NetworkOptions = Pick<BootOptions, "network" | "portForward">;

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
  if (portForward.length === 0) return;
  await waitUntilTaken(started);
  const error = started.hasExited() ? refusalError(started.stderr.tail.text()) : undefined;
  if (error?.code.startsWith("BOOT_PORT_FORWARD_")) throw error;
}

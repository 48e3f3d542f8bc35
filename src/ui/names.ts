import type { MachineInfo } from "../runtime/host/host.ts";

/** What the user calls a machine. */
export function machineName(machine: Pick<MachineInfo, "id" | "name">): string {
  return machine.name ?? `#${machine.id}`;
}

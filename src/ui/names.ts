import type { MachineInfo } from "../runtime/host/host.ts";
import { mainSession, type PaneId, paneTarget } from "./layout/pane-id.ts";
import type { UiState } from "./state.ts";

/** What the user calls a machine. */
export function machineName(machine: Pick<MachineInfo, "id" | "name">): string {
  return machine.name ?? `#${machine.id}`;
}

/** What the user calls a pane: its machine, and the session unless it is the main one. */
export function paneName(state: UiState, id: PaneId): string {
  const { machine, session } = paneTarget(id);
  const found = state.machines.find((row) => row.machine.id === machine)?.machine;
  return sessionName(machineName(found ?? { id: machine }), session);
}

/** What the user calls a session of a machine of this name. */
export function sessionName(machine: string, session: string): string {
  return session === mainSession ? machine : `${machine}:${session}`;
}

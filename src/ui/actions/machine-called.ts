import type { MachineInfo } from "../../runtime/host/host.ts";
import { CommandError } from "../errors.ts";
import { machineName } from "../names.ts";
import { machinesOf } from "../selectors.ts";
import type { UiState } from "../state.ts";

/** The machine of this name or id. @throws {CommandError} COMMAND_ARGUMENT_INVALID */
export function machineCalled(state: UiState, name: string): MachineInfo {
  const found = machinesOf(state).find(
    (machine) => machineName(machine) === name || machine.id === name,
  );
  if (found) return found;
  throw new CommandError("COMMAND_ARGUMENT_INVALID", `no machine "${name}" is there`);
}

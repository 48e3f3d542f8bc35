import type { MachineInfo } from "../../runtime/host/host.ts";
import { CommandError } from "../errors.ts";
import { mainSession, paneTarget } from "../layout/pane-id.ts";
import { machineName } from "../names.ts";
import { machinesOf, selectedMachine } from "../selectors.ts";
import type { UiState } from "../state.ts";

/** What a command is about. */
export interface Target {
  machine: MachineInfo;
  /** The one that its selected pane shows. */
  session: string;
  /** The words that are left. */
  rest: string;
}

/** The machine of this name or id. @throws {CommandError} COMMAND_ARGUMENT_INVALID */
export function machineCalled(state: UiState, name: string): MachineInfo {
  const found = findMachine(state, name);
  if (found) return found;
  throw new CommandError("COMMAND_ARGUMENT_INVALID", `no machine "${name}" is there`);
}

/**
 * The machine that is named, else the selected one.
 * @throws {CommandError} COMMAND_ARGUMENT_INVALID, COMMAND_NOT_POSSIBLE
 */
export function targetCalled(state: UiState, name: string): Target {
  return name === "" ? selectedTarget(state, "") : about(state, machineCalled(state, name), "");
}

/**
 * The machine that the first word names, if what follows is enough for the command; else all words
 * are for the selected one.
 * @throws {CommandError} COMMAND_NOT_POSSIBLE
 */
export function targetOf(
  state: UiState,
  words: string,
  isEnough: (rest: string) => boolean,
): Target {
  const machine = machineNamedIn(state, words);
  const rest = words.trim().replace(/^\S+\s*/, "");
  return machine && isEnough(rest) ? about(state, machine, rest) : selectedTarget(state, words);
}

/** The machine that the first word names. */
export function machineNamedIn(state: UiState, words: string): MachineInfo | undefined {
  return findMachine(state, words.trim().split(/\s/, 1)[0]!);
}

function selectedTarget(state: UiState, rest: string): Target {
  const machine = selectedMachine(state);
  if (machine) return about(state, machine, rest);
  throw new CommandError("COMMAND_NOT_POSSIBLE", "no machine is selected");
}

function about(state: UiState, machine: MachineInfo, rest: string): Target {
  const { selected } = state;
  const shown = selected === undefined ? undefined : paneTarget(selected);
  const session = shown?.machine === machine.id ? shown.session : mainSession;
  return { machine, session, rest };
}

function findMachine(state: UiState, name: string): MachineInfo | undefined {
  const machines = machinesOf(state);
  return (
    machines.find((machine) => machineName(machine) === name) ??
    machines.find(({ id }) => id === name)
  );
}

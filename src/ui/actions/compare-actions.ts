import { type FileDifference, filePatch } from "../../runtime/compare/index.ts";
import type { MachineInfo } from "../../runtime/host/host.ts";
import { printable } from "../../runtime/printable.ts";
import type { CommandId } from "../commands.ts";
import { type DifferencesDialog, differenceRows } from "../compare/differences.ts";
import { mostCompared, nearestFamily } from "../compare/family.ts";
import { CommandError } from "../errors.ts";
import { keyOf } from "../keymap.ts";
import { type PaneId, paneId } from "../layout/pane-id.ts";
import { machineName } from "../names.ts";
import { currentTab, machineOf, machinesOf } from "../selectors.ts";
import type { ActionContext, Handler, Origin } from "./context.ts";
import { machineCalled, targetCalled, targetOf } from "./target.ts";

/** More forks at once than a screen can show. */
const mostForks = 16;

/** What is done to machines, not to their panes. */
interface MachineWork {
  forkMany(source: MachineInfo, session: string, count: number): Promise<MachineInfo[]>;
  stopAll(machines: readonly { id: string; name: string }[]): Promise<string>;
}

/** Commands that set forks side by side and say what differs. */
export function compareActions(context: ActionContext, { forkMany, stopAll }: MachineWork) {
  return {
    compare: (words) => compare(context, words),
    synchronize: () => synchronize(context),
    highlight: () => highlight(context),
    differences: (names) => showDifferences(context, names),
    keep: (name, origin) => askKeep(context, stopAll, name, origin),
    "fork-many": (words) => forkAndCompare(context, forkMany, words),
  } satisfies Partial<Record<CommandId, Handler>>;
}

/** Until something is typed nothing on the screen would tell that the key did anything. */
function synchronize(context: ActionContext): string {
  context.dispatch({ type: "synchronize-toggled" });
  return currentTab(context.state).synchronized
    ? `what is typed goes to every pane here: ${keyOf(context.state.keymap, "attach")} begins`
    : "what is typed goes to one pane again";
}

/** Panes that are alike have no cell to mark. */
function highlight(context: ActionContext): string {
  context.dispatch({ type: "highlight-toggled" });
  return currentTab(context.state).highlighted
    ? "cells that differ are marked"
    : "cells that differ are not marked any more";
}

function impossible(message: string): CommandError {
  return new CommandError("COMMAND_NOT_POSSIBLE", message);
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function open(context: ActionContext, machines: readonly MachineInfo[], session: string): void {
  context.dispatch({
    type: "compare-opened",
    panes: machines.map(({ id }) => paneId(id, session)),
  });
}

/** The machines named, or the selected one and its nearest relatives, in a tab of their own. */
function compare(context: ActionContext, words: string): void {
  const { machine, session } = targetCalled(context.state, "");
  const names = wordsOf(words);
  const machines =
    names.length > 0
      ? names.map((name) => machineCalled(context.state, name))
      : nearestFamily(machinesOf(context.state), machine.id);
  if (machines.length < 2) {
    const key = keyOf(context.state.keymap, "fork");
    throw impossible(
      `${machineName(machine)} has no fork here: ${key} makes one, or name the machines`,
    );
  }
  if (machines.length > mostCompared) {
    throw impossible(`at most ${mostCompared} machines stand side by side`);
  }
  open(context, machines, session);
}

/** `[machine] <count> [command]`: forks of one moment, side by side; the command is typed into each. */
async function forkAndCompare(
  context: ActionContext,
  forkMany: MachineWork["forkMany"],
  words: string,
): Promise<string | undefined> {
  const isCount = (rest: string): boolean => /^\d+(\s|$)/.test(rest);
  const { machine, session, rest } = targetOf(context.state, words, isCount);
  const [, digits = "", command = ""] = /^(\d+)(?:\s+(.*))?$/s.exec(rest.trim()) ?? [];
  const count = Number(digits);
  if (!Number.isInteger(count) || count < 1 || count > mostForks) {
    throw new CommandError(
      "COMMAND_ARGUMENT_INVALID",
      `usage: fork-many [machine] <count> [command], with a count from 1 to ${mostForks}`,
    );
  }
  const forks = await forkMany(machine, session, count);
  if (forks.length === 0) return undefined;
  if (forks.length > 1) open(context, forks.slice(0, mostCompared), session);
  if (command)
    for (const fork of forks) context.typeWhenLive(paneId(fork.id, session), `${command}\r`);
  return `${forks.length} forks of ${machineName(machine)}: ${forks.map(machineName).join(", ")}`;
}

/** The machine a comparison is with: another one of the tab, else the source of the fork, else a fork. */
function counterpart(context: ActionContext, machine: MachineInfo): MachineInfo {
  const { state } = context;
  const inTab = currentTab(state)
    .panes.map((id) => machineOf(state, id))
    .filter((other) => other !== undefined && other.id !== machine.id);
  const family = nearestFamily(machinesOf(state), machine.id).filter(({ id }) => id !== machine.id);
  const parent = family.find(({ pid }) => pid === machine.parentPid);
  const related = inTab.filter((other) => family.includes(other!));
  const found = (currentTab(state).compares && related[0]) || parent || family[0];
  if (!found) throw impossible(`${machineName(machine)} has no relative to compare it with`);
  return found;
}

/** Of the two machines named, of the selected one and the one named, or of it and its relative. */
async function showDifferences(context: ActionContext, words: string): Promise<undefined> {
  const names = wordsOf(words);
  if (names.length > 2) throw impossible("two machines are compared at a time");
  const { machine } = targetCalled(context.state, names.length === 2 ? names[0]! : "");
  const name = names.at(-1);
  const other = name ? machineCalled(context.state, name) : counterpart(context, machine);
  if (other.id === machine.id) throw impossible(`${machineName(machine)} is compared with itself`);
  // The older one comes first: what the fork has more is added.
  const [a, b] = machine.startedAt < other.startedAt ? [machine, other] : [other, machine];
  const dialog: DifferencesDialog = {
    kind: "differences",
    ids: [a.id, b.id],
    names: [printable(machineName(a)), printable(machineName(b))],
    index: 0,
  };
  context.dispatch({ type: "dialog-opened", dialog });
  const label = `comparing ${machineName(a)} and ${machineName(b)}`;
  try {
    const difference = await context.tasks.run({ label, key: label }, () =>
      context.host.compare(a.id, b.id),
    );
    if (difference) context.dispatch({ type: "differences-found", ids: dialog.ids, difference });
  } catch (error) {
    context.dispatch({ type: "dialog-closed" });
    throw error;
  }
}

/** The file under the cursor, line by line. */
export async function openDifference(
  context: ActionContext,
  dialog: DifferencesDialog,
): Promise<undefined> {
  const file = differenceRows(dialog)[dialog.index]?.file;
  if (!file || dialog.patch) return;
  const task = { label: `reading ${printable(file.path)}`, key: `read ${file.path}` };
  const lines = await context.tasks.run(task, () => patchOf(context, dialog, file));
  if (lines) context.dispatch({ type: "difference-opened", path: file.path, lines });
}

async function patchOf(
  { host }: ActionContext,
  { ids, names }: DifferencesDialog,
  file: FileDifference,
): Promise<string[]> {
  const result = await filePatch(file, { a: names[0], b: names[1] }, (side, limit) =>
    host.readFile(ids[side === "a" ? 0 : 1], file.path, limit),
  );
  return "patch" in result ? result.patch.trimEnd().split("\n").slice(1) : [result.unshown];
}

/** The machines of the tab but the selected one. */
function othersOfTab(context: ActionContext, machine: MachineInfo): MachineInfo[] {
  const { state } = context;
  const others = currentTab(state).panes.map((id: PaneId) => machineOf(state, id));
  const unique = new Map(others.flatMap((other) => (other ? [[other.id, other]] : [])));
  unique.delete(machine.id);
  return [...unique.values()];
}

/** Nobody outside can answer a question: it is done. */
function askKeep(
  context: ActionContext,
  stopAll: MachineWork["stopAll"],
  name: string,
  origin: Origin,
): Promise<string> | undefined {
  const { machine } = targetCalled(context.state, name);
  const others = othersOfTab(context, machine);
  if (!currentTab(context.state).compares || others.length === 0) {
    const key = keyOf(context.state.keymap, "compare");
    throw impossible(`keep is for a tab that compares machines: ${key} opens one`);
  }
  // Whoever names one that is not compared must not lose all that are.
  if (!currentTab(context.state).panes.some((id) => machineOf(context.state, id) === machine)) {
    throw impossible(`${machineName(machine)} is not among those that are compared`);
  }
  const drop = others.map((other) => ({ id: other.id, name: machineName(other) }));
  if (origin === "outside") return stopAll(drop);
  const dialog = { kind: "confirm-keep" as const, name: machineName(machine), drop };
  context.dispatch({ type: "dialog-opened", dialog });
  return undefined;
}

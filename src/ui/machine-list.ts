import type { MachineInfo } from "../runtime/host/host.ts";
import { familiesOf } from "./families.ts";
import { type PaneId, paneId, paneTarget } from "./layout/pane-id.ts";
import { machineName } from "./names.ts";
import { allPanes, currentTab, machinesOf, sidebarItems } from "./selectors.ts";
import { note, type UiState } from "./state.ts";
import { machineTree, type TreeRow } from "./tree.ts";
import { addToTab, canAttach, closePane } from "./workspace.ts";

/**
 * A list's answer becomes the tree. Every machine that is new gets a pane in the tab that is looked
 * at; what has ended loses its panes. The selection stays, or moves to where the machine was.
 */
export function withMachines(state: UiState, machines: readonly MachineInfo[]): UiState {
  const rows = machineTree(machines);
  const ids = new Set(rows.map((row) => row.machine.id));
  const gone = state.machines.filter((row) => !ids.has(row.machine.id));
  const was = sidebarItems(state).findIndex(({ pane }) => pane === state.selected);
  let next: UiState = {
    ...state,
    machines: rows,
    families: familiesOf(machines, state.families),
    sessions: pick(state.sessions, (id) => ids.has(id)),
    tags: pick(state.tags, (id) => ids.has(id)),
    muted: state.muted.filter((id) => ids.has(id)),
  };
  for (const id of allPanes(state)) {
    if (!ids.has(paneTarget(id).machine)) next = closePane(next, id);
  }
  const known = new Set(machinesOf(state).map(({ id }) => id));
  for (const row of rows) {
    if (!known.has(row.machine.id)) next = addMachine(next, row.machine);
  }
  next = keepSelection(forgetPanes(next), was);
  if (next.dialog?.kind === "confirm" && !ids.has(next.dialog.id)) {
    next = { ...next, dialog: undefined };
  }
  return noteGone(state, next, gone);
}

/** A new machine's pane stands behind those of its family. */
export function addMachine(state: UiState, machine: MachineInfo, session?: string): UiState {
  const family = new Set(
    machinesOf(state)
      .filter(({ pid, parentPid }) => pid === machine.parentPid || parentPid === machine.parentPid)
      .map(({ id }) => id),
  );
  const beside =
    machine.parentPid === undefined
      ? undefined
      : currentTab(state).panes.findLast((pane) => family.has(paneTarget(pane).machine));
  return addToTab(state, paneId(machine.id, session), beside);
}

/** What was known about panes that are in no tab any more. */
export function forgetPanes(state: UiState): UiState {
  const panes = allPanes(state);
  const { copying, alerts, shells } = state;
  const known = [state.panes, copying, alerts, shells].flatMap((record) => Object.keys(record));
  if (known.every((id) => panes.has(id))) return state;
  const isThere = (id: PaneId): boolean => panes.has(id);
  return {
    ...state,
    panes: pick(state.panes, isThere),
    copying: pick(copying, isThere),
    alerts: pick(alerts, isThere),
    shells: pick(shells, isThere),
  };
}

function keepSelection(state: UiState, was: number): UiState {
  const items = sidebarItems(state);
  const { selected } = state;
  if (selected !== undefined && items.some(({ pane }) => pane === selected)) {
    return { ...state, attached: state.attached && canAttach(state) };
  }
  const fallback: PaneId | undefined =
    items[Math.min(Math.max(0, was), items.length - 1)]?.pane ?? undefined;
  const tabs = state.tabs.map((tab, index) =>
    index === state.tab && fallback !== undefined && tab.panes.includes(fallback)
      ? { ...tab, active: fallback }
      : tab,
  );
  return { ...state, tabs, selected: fallback, attached: false };
}

function noteGone(before: UiState, state: UiState, gone: readonly TreeRow[]): UiState {
  let next = state;
  for (const { machine } of gone) {
    if (before.tasks.some((task) => task.machineId === machine.id)) continue;
    const text = `${machineName(machine)} has ended`;
    next = note(next, { at: before.now, level: "info", text });
  }
  return next;
}

function pick<T>(
  record: Readonly<Record<string, T>>,
  keep: (key: string) => boolean,
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => keep(key)));
}

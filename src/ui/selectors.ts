import type { MachineInfo } from "../runtime/host/host.ts";
import type { Need } from "./commands.ts";
import type { KeyMode } from "./keymap.ts";
import { mainSession, type PaneId, paneId, paneTarget } from "./layout/pane-id.ts";
import { type PlacedPane, placePanes } from "./layout/place-panes.ts";
import { type ScreenAreas, screenAreas } from "./layout/screen-areas.ts";
import type { Tab } from "./layout/tab.ts";
import type { Dialog, UiState } from "./state.ts";

/** A line of the sidebar: a machine, or under it one of its further sessions. */
export interface SidebarItem {
  /** What is selected with it; a machine stands for its main session. */
  pane: PaneId;
  machine: MachineInfo;
  /** Lines that lead to it from its parent, empty for a root. */
  branch: string;
  /** Absent for the machine itself. */
  session?: string;
}

export function machinesOf(state: UiState): MachineInfo[] {
  return state.machines.map((row) => row.machine);
}

export function machineOf(state: UiState, pane: PaneId | undefined): MachineInfo | undefined {
  if (pane === undefined) return undefined;
  const { machine } = paneTarget(pane);
  return state.machines.find((row) => row.machine.id === machine)?.machine;
}

export function selectedMachine(state: UiState): MachineInfo | undefined {
  return machineOf(state, state.selected);
}

export function currentTab(state: UiState): Tab {
  return state.tabs[state.tab]!;
}

export function areasOf(state: UiState): ScreenAreas {
  return screenAreas({
    cols: state.cols,
    rows: state.rows,
    zoomed: currentTab(state).zoomed,
    tabs: state.tabs.length > 1,
    sidebar: state.sidebar,
  });
}

/** The panes on the screen in this state; also what the mouse hits. */
export function visiblePanes(state: UiState): PlacedPane[] {
  const areas = areasOf(state);
  return areas.tooSmall ? [] : placePanes(currentTab(state), areas.panes);
}

/** Every pane of every tab, once. */
export function allPanes(state: UiState): Set<PaneId> {
  return new Set(state.tabs.flatMap((tab) => tab.panes));
}

/** Whether the selected pane stands in the tab that is looked at. */
export function selectedIsShown(state: UiState): boolean {
  return state.selected !== undefined && currentTab(state).panes.includes(state.selected);
}

/** The panes that get what is typed into the selected one. */
export function synchronizedPanes(state: UiState): PaneId[] {
  const tab = currentTab(state);
  if (!tab.synchronized || !selectedIsShown(state)) return [];
  return tab.panes.filter((id) => id !== state.selected && state.panes[id]?.kind === "live");
}

/** Which of the tab's panes are on the screen, counted from 1. */
export interface Page {
  first: number;
  last: number;
  count: number;
}

/** Undefined when all of them are. */
export function pageOf(state: UiState): Page | undefined {
  const { panes } = currentTab(state);
  const shown = new Set(visiblePanes(state).map(({ id }) => id));
  if (shown.size === 0 || shown.size === panes.length) return undefined;
  return {
    first: panes.findIndex((id) => shown.has(id)) + 1,
    last: panes.findLastIndex((id) => shown.has(id)) + 1,
    count: panes.length,
  };
}

/** The sidebar's lines, in order; the selection moves along them. */
export function sidebarItems(state: UiState): SidebarItem[] {
  const shown = [...allPanes(state)].map(paneTarget);
  return state.machines.flatMap(({ machine, branch }) => {
    const sessions = new Set([
      ...(state.sessions[machine.id] ?? []),
      ...shown.filter((target) => target.machine === machine.id).map(({ session }) => session),
    ]);
    sessions.delete(mainSession);
    const inOrder = [...sessions].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const lead = branch.replace("├ ", "│ ").replace("└ ", "  ");
    return [
      { pane: paneId(machine.id), machine, branch },
      ...inOrder.map((session) => ({
        pane: paneId(machine.id, session),
        machine,
        branch: `${lead}  `,
        session,
      })),
    ];
  });
}

const dialogModes: Record<Dialog["kind"], KeyMode> = {
  help: "reading",
  log: "reading",
  confirm: "confirm",
  "confirm-keep": "confirm",
  differences: "differences",
  picker: "picker",
  palette: "palette",
  finder: "finder",
  prompt: "prompt",
  form: "form",
};

/** What the keyboard is for in this state. */
export function keyMode(state: UiState): KeyMode {
  if (areasOf(state).tooSmall) return "too-small";
  // The text of a file is read as other texts are.
  if (state.dialog?.kind === "differences" && state.dialog.patch) return "reading";
  if (state.dialog) return dialogModes[state.dialog.kind];
  const copying = state.selected === undefined ? undefined : state.copying[state.selected];
  if (copying?.prompt) return "copy-prompt";
  if (copying) return state.copyKeys === "emacs" ? "copy-emacs" : "copy";
  return state.attached ? "attached" : "navigate";
}

/** What commands may count on in this state; those that name no machine are about the selected one. */
export function present(state: UiState, machine = selectedMachine(state)): ReadonlySet<Need> {
  const needs = new Set<Need>();
  if (state.tabs.length > 1) needs.add("tabs");
  if (currentTab(state).panes.length > 1) needs.add("panes");
  if (pageOf(state)) needs.add("pages");
  if (!machine) return needs;
  needs.add("machine");
  if (machine.state === "running") needs.add("running");
  if (state.selected !== undefined && state.panes[state.selected]) needs.add("pane");
  return needs;
}

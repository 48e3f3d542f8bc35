import type { MachineInfo, SnapshotInfo } from "../runtime/host/host.ts";
import type { KeyMode, Need } from "./keymap.ts";
import { layoutScreen } from "./layout.ts";
import { machineName } from "./names.ts";
import { machineTree, type TreeRow } from "./tree.ts";

/** How a pane's session stands. */
export type PaneStatus =
  | { kind: "waiting" }
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "ended"; code: number | null }
  | { kind: "lost"; message: string };

export type Dialog =
  | { kind: "help"; scroll: number }
  | { kind: "log"; scroll: number }
  | { kind: "confirm"; id: string; name: string }
  | { kind: "picker"; snapshots?: SnapshotInfo[]; index: number };

/** Work under way at the host. */
export interface Task {
  id: number;
  /** What is done, e.g. `forking m1`. */
  label: string;
  machineId?: string;
  /** It brings forth a machine, which may be listed before the work is done. */
  starts?: boolean;
  /** Taking long enough to be shown. */
  shown: boolean;
}

export interface LogEntry {
  at: number;
  level: "error" | "info";
  text: string;
}

export interface UiState {
  cols: number;
  rows: number;
  /** In the sidebar's order. */
  machines: TreeRow[];
  /** Whether the host has answered yet. */
  listed: boolean;
  selected?: string;
  /** Keys go to the selected machine. */
  attached: boolean;
  zoomed: boolean;
  dialog?: Dialog;
  panes: Readonly<Record<string, PaneStatus>>;
  tasks: readonly Task[];
  notice?: LogEntry;
  log: readonly LogEntry[];
  now: number;
}

export type Action =
  | { type: "resized"; cols: number; rows: number }
  | { type: "listed"; machines: readonly MachineInfo[]; now: number }
  | { type: "machine-added"; machine: MachineInfo }
  | { type: "machine-gone"; id: string }
  | { type: "selected"; id: string }
  | { type: "moved"; to: "next" | "previous" | "first" | "last" }
  | { type: "attached" }
  | { type: "detached" }
  | { type: "zoom-toggled" }
  | { type: "dialog-opened"; dialog: Dialog }
  | { type: "dialog-closed" }
  | { type: "dialog-moved"; by: number; last: number }
  | { type: "snapshots-listed"; snapshots: SnapshotInfo[] }
  | { type: "pane-changed"; id: string; status: PaneStatus }
  | { type: "task-began"; task: Task }
  | { type: "task-shown"; id: number }
  | { type: "task-ended"; id: number }
  | { type: "noticed"; entry: LogEntry }
  | { type: "notice-cleared" }
  | { type: "ticked"; now: number };

const logLimit = 200;

export function initialState(cols: number, rows: number, now: number): UiState {
  return {
    cols,
    rows,
    machines: [],
    listed: false,
    attached: false,
    zoomed: false,
    panes: {},
    tasks: [],
    log: [],
    now,
  };
}

/** The next state; never changes the old one. */
export function reduce(state: UiState, action: Action): UiState {
  switch (action.type) {
    case "resized":
      return { ...state, cols: action.cols, rows: action.rows };
    case "listed":
      return withMachines({ ...state, listed: true, now: action.now }, action.machines);
    case "machine-added": {
      const others = machinesOf(state).filter((machine) => machine.id !== action.machine.id);
      const next = withMachines(state, [...others, action.machine]);
      // Whoever is typing goes on typing where he is.
      if (state.attached || state.dialog) return next;
      return { ...next, selected: action.machine.id, zoomed: false };
    }
    case "machine-gone":
      return withMachines(
        state,
        machinesOf(state).filter((machine) => machine.id !== action.id),
      );
    case "selected":
      return select(state, action.id);
    case "moved":
      return select(state, neighbour(state, action.to));
    case "attached":
      return canAttach(state) ? { ...state, attached: true, notice: undefined } : state;
    case "detached":
      return { ...state, attached: false };
    case "zoom-toggled":
      return state.selected === undefined ? state : { ...state, zoomed: !state.zoomed };
    case "dialog-opened":
      return { ...state, dialog: action.dialog, attached: false };
    case "dialog-closed":
      return { ...state, dialog: undefined };
    case "dialog-moved":
      return { ...state, dialog: moveDialog(state.dialog, action.by, action.last) };
    case "snapshots-listed":
      return state.dialog?.kind === "picker"
        ? { ...state, dialog: { ...state.dialog, snapshots: action.snapshots, index: 0 } }
        : state;
    case "pane-changed":
      return changePane(state, action.id, action.status);
    case "task-began":
      return { ...state, tasks: [...state.tasks, action.task] };
    case "task-shown":
      return {
        ...state,
        tasks: state.tasks.map((task) => (task.id === action.id ? { ...task, shown: true } : task)),
      };
    case "task-ended":
      return { ...state, tasks: state.tasks.filter((task) => task.id !== action.id) };
    case "noticed":
      return note(state, action.entry);
    case "notice-cleared":
      return state.notice ? { ...state, notice: undefined } : state;
    case "ticked":
      return { ...state, now: action.now };
  }
}

export function machinesOf(state: UiState): MachineInfo[] {
  return state.machines.map((row) => row.machine);
}

export function selectedMachine(state: UiState): MachineInfo | undefined {
  return state.machines.find((row) => row.machine.id === state.selected)?.machine;
}

/** What the keyboard is for in this state. */
export function keyMode(state: UiState): KeyMode {
  if (layoutScreen(state.cols, state.rows, false).tooSmall) return "too-small";
  if (state.dialog?.kind === "confirm" || state.dialog?.kind === "picker") return state.dialog.kind;
  if (state.dialog) return "reading";
  return state.attached ? "attached" : "navigate";
}

/** What commands may count on in this state. */
export function present(state: UiState): ReadonlySet<Need> {
  const needs = new Set<Need>();
  const machine = selectedMachine(state);
  if (!machine) return needs;
  needs.add("machine");
  if (machine.state === "running") needs.add("running");
  if (state.panes[machine.id]) needs.add("pane");
  return needs;
}

/** A list's answer becomes the tree; the selection stays, or moves to where the machine was. */
function withMachines(state: UiState, machines: readonly MachineInfo[]): UiState {
  const rows = machineTree(machines);
  const ids = new Set(rows.map((row) => row.machine.id));
  const gone = state.machines.filter((row) => !ids.has(row.machine.id));
  const kept = state.selected !== undefined && ids.has(state.selected);
  const was = state.machines.findIndex((row) => row.machine.id === state.selected);
  const fallback = rows[Math.min(Math.max(0, was), rows.length - 1)]?.machine.id;
  let next: UiState = {
    ...state,
    machines: rows,
    selected: kept ? state.selected : fallback,
    attached: state.attached && kept,
    zoomed: state.zoomed && rows.length > 0,
    panes: Object.fromEntries(Object.entries(state.panes).filter(([id]) => ids.has(id))),
  };
  if (next.dialog?.kind === "confirm" && !ids.has(next.dialog.id)) {
    next = { ...next, dialog: undefined };
  }
  for (const { machine } of gone) {
    if (state.tasks.some((task) => task.machineId === machine.id)) continue;
    const text = `${machineName(machine)} has ended`;
    next = note(next, { at: state.now, level: "info", text });
  }
  return next;
}

function canAttach(state: UiState): boolean {
  return state.selected !== undefined && state.panes[state.selected]?.kind === "live";
}

/** An attached keyboard follows the selection only onto a live session. */
function select(state: UiState, id: string | undefined): UiState {
  if (id === undefined || !state.machines.some((row) => row.machine.id === id)) return state;
  const next = { ...state, selected: id };
  return { ...next, attached: state.attached && canAttach(next) };
}

function neighbour(state: UiState, to: "next" | "previous" | "first" | "last"): string | undefined {
  const last = state.machines.length - 1;
  const at = state.machines.findIndex((row) => row.machine.id === state.selected);
  const index =
    to === "first" ? 0 : to === "last" ? last : to === "next" ? Math.min(at + 1, last) : at - 1;
  return state.machines[Math.max(0, index)]?.machine.id;
}

function moveDialog(dialog: Dialog | undefined, by: number, last: number): Dialog | undefined {
  const within = (value: number): number => Math.max(0, Math.min(last, value + by));
  if (!dialog || dialog.kind === "confirm") return dialog;
  return dialog.kind === "picker"
    ? { ...dialog, index: within(dialog.index) }
    : { ...dialog, scroll: within(dialog.scroll) };
}

function changePane(state: UiState, id: string, status: PaneStatus): UiState {
  const next = { ...state, panes: { ...state.panes, [id]: status } };
  const dead = state.selected === id && status.kind !== "live";
  return dead ? { ...next, attached: false } : next;
}

function note(state: UiState, entry: LogEntry): UiState {
  return { ...state, notice: entry, log: [...state.log, entry].slice(-logLimit) };
}

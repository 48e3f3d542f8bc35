import type { MachineDifference } from "../runtime/compare/index.ts";
import type { MachineInfo, SnapshotInfo } from "../runtime/host/host.ts";
import { type Alert, moreUrgent } from "./attention/alert.ts";
import type { DifferencesDialog } from "./compare/differences.ts";
import { type Config, defaultConfig } from "./config/parse-config.ts";
import { isTextDialog, type TextDialog, withText } from "./dialogs/text-dialogs.ts";
import type { Families } from "./families.ts";
import type { KeyBinding } from "./keymap.ts";
import type { PaneId } from "./layout/pane-id.ts";
import { mainSession, paneId, paneTarget } from "./layout/pane-id.ts";
import { emptyTab, type Tab } from "./layout/tab.ts";
import { addMachine, forgetPanes, withMachines } from "./machine-list.ts";
import { type SavedWorkspace, withWorkspace } from "./saved/workspace.ts";
import { machinesOf } from "./selectors.ts";
import type { ShellState } from "./terminal/prompts.ts";
import type { TreeRow } from "./tree.ts";
import {
  canAttach,
  closePane,
  reduceWorkspace,
  select,
  type WorkspaceAction,
} from "./workspace.ts";

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
  | { kind: "confirm-keep"; name: string; drop: readonly { id: string; name: string }[] }
  | DifferencesDialog
  | { kind: "picker"; snapshots?: SnapshotInfo[]; index: number }
  | TextDialog;

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

/** A pane in copy mode, as far as keys are concerned. */
export interface Copying {
  /** What is typed goes to its prompt. */
  prompt: boolean;
}

export interface LogEntry {
  at: number;
  level: "error" | "info";
  text: string;
}

export interface UiState {
  /** What keys mean to this user. */
  keymap: readonly KeyBinding[];
  cols: number;
  rows: number;
  /** In the sidebar's order. */
  machines: TreeRow[];
  /** Whether the host has answered yet. */
  listed: boolean;
  /** What the first answer is to be arranged like. */
  saved?: SavedWorkspace;
  families: Families;
  /** Sessions each machine is known to have, by machine id. */
  sessions: Readonly<Record<string, readonly string[]>>;
  /** Words of the user's to find machines by, by machine id. */
  tags: Readonly<Record<string, readonly string[]>>;
  /** At least one. */
  tabs: readonly Tab[];
  /** The index of the tab that is looked at. */
  tab: number;
  /** What commands are about: a pane of the tab, or a line of the sidebar that has no pane. */
  selected?: PaneId;
  /** Keys go to the selected pane. */
  attached: boolean;
  /** Shown where there is room for it. */
  sidebar: boolean;
  dialog?: Dialog;
  panes: Readonly<Record<PaneId, PaneStatus>>;
  /** Panes in copy mode. */
  copying: Readonly<Record<PaneId, Copying>>;
  copyKeys: "vi" | "emacs";
  /** Panes that want to be looked at; looking at one ends it. */
  alerts: Readonly<Record<PaneId, Alert>>;
  /** What shells say they are doing. */
  shells: Readonly<Record<PaneId, ShellState["at"]>>;
  /** Ids of machines whose alerts are not wanted. */
  muted: readonly string[];
  tasks: readonly Task[];
  notice?: LogEntry;
  log: readonly LogEntry[];
  now: number;
}

export type Action =
  | WorkspaceAction
  | { type: "resized"; cols: number; rows: number }
  | { type: "workspace-saved"; saved: SavedWorkspace }
  | { type: "listed"; machines: readonly MachineInfo[]; now: number }
  /** We have made it; its pane shows `session`, default the main one. */
  | { type: "machine-added"; machine: MachineInfo; session?: string }
  | { type: "machine-gone"; id: string }
  | { type: "attached" }
  | { type: "detached" }
  | { type: "dialog-opened"; dialog: Dialog }
  | { type: "dialog-closed" }
  /** Another text in the line that is typed into. */
  | { type: "dialog-edited"; text: string }
  | { type: "form-refused"; error: string }
  | { type: "dialog-moved"; by: number; last: number }
  | { type: "snapshots-listed"; snapshots: SnapshotInfo[] }
  | { type: "differences-found"; ids: readonly [string, string]; difference: MachineDifference }
  | { type: "difference-opened"; path: string; lines: readonly string[] }
  | { type: "sessions-listed"; machine: string; sessions: readonly string[] }
  | { type: "tagged"; machine: string; tags: readonly string[] }
  | { type: "pane-changed"; id: PaneId; status: PaneStatus }
  | { type: "alerted"; id: PaneId; alert: Alert }
  | { type: "shell-changed"; id: PaneId; at: ShellState["at"] }
  | { type: "mute-toggled"; machine: string }
  | { type: "copying-changed"; id: PaneId; copying: Copying | undefined }
  | { type: "task-began"; task: Task }
  | { type: "task-shown"; id: number }
  | { type: "task-ended"; id: number }
  | { type: "noticed"; entry: LogEntry }
  | { type: "notice-cleared" }
  | { type: "ticked"; now: number };

const logLimit = 200;

export function initialState(
  cols: number,
  rows: number,
  now: number,
  config: Config = defaultConfig,
): UiState {
  return {
    keymap: config.keymap,
    cols,
    rows,
    machines: [],
    listed: false,
    families: {},
    sessions: {},
    tags: {},
    tabs: [emptyTab(1, config.settings["look.layout"])],
    tab: 0,
    attached: false,
    sidebar: config.settings["look.sidebar"],
    panes: {},
    copying: {},
    copyKeys: config.settings["keyboard.copy"],
    alerts: {},
    shells: {},
    muted: [],
    tasks: [],
    log: [],
    now,
  };
}

/** The next state; never changes the old one. */
export function reduce(state: UiState, action: Action): UiState {
  return withoutSeenAlert(change(state, action));
}

/** What is selected is looked at. */
function withoutSeenAlert(state: UiState): UiState {
  const { selected, alerts } = state;
  if (selected === undefined || !alerts[selected]) return state;
  const { [selected]: _, ...others } = alerts;
  return { ...state, alerts: others };
}

function change(state: UiState, action: Action): UiState {
  switch (action.type) {
    case "resized":
      return { ...state, cols: action.cols, rows: action.rows };
    case "workspace-saved":
      return { ...state, saved: action.saved };
    case "listed": {
      const { saved } = state;
      const arranged = saved ? withWorkspace(state, saved, action.machines) : state;
      const next = { ...arranged, listed: true, saved: undefined, now: action.now };
      return withMachines(next, action.machines);
    }
    case "machine-added":
      return machineAdded(state, action.machine, action.session);
    case "machine-gone":
      return withMachines(
        state,
        machinesOf(state).filter((machine) => machine.id !== action.id),
      );
    case "attached":
      return canAttach(state) ? { ...state, attached: true, notice: undefined } : state;
    case "detached":
      return { ...state, attached: false };
    case "dialog-opened":
      return { ...state, dialog: action.dialog, attached: false };
    case "dialog-closed":
      return { ...state, dialog: withoutPatch(state.dialog) };
    case "dialog-edited":
      return state.dialog && isTextDialog(state.dialog)
        ? { ...state, dialog: withText(state.dialog, action.text) }
        : state;
    case "form-refused":
      return state.dialog?.kind === "form"
        ? { ...state, dialog: { ...state.dialog, error: action.error } }
        : state;
    case "tagged":
      return { ...state, tags: { ...state.tags, [action.machine]: action.tags } };
    case "dialog-moved":
      return { ...state, dialog: moveDialog(state.dialog, action.by, action.last) };
    case "snapshots-listed":
      return state.dialog?.kind === "picker"
        ? { ...state, dialog: { ...state.dialog, snapshots: action.snapshots, index: 0 } }
        : state;
    case "differences-found":
      return state.dialog?.kind === "differences" && state.dialog.ids.join() === action.ids.join()
        ? { ...state, dialog: { ...state.dialog, difference: action.difference } }
        : state;
    case "difference-opened":
      return state.dialog?.kind === "differences"
        ? {
            ...state,
            dialog: {
              ...state.dialog,
              patch: { path: action.path, lines: action.lines, scroll: 0 },
            },
          }
        : state;
    case "sessions-listed":
      return {
        ...state,
        sessions: { ...state.sessions, [action.machine]: action.sessions },
      };
    case "pane-changed":
      return changePane(state, action.id, action.status);
    case "alerted": {
      if (!state.panes[action.id]) return state;
      const alert = moreUrgent(state.alerts[action.id], action.alert);
      return { ...state, alerts: { ...state.alerts, [action.id]: alert } };
    }
    case "shell-changed":
      return { ...state, shells: { ...state.shells, [action.id]: action.at } };
    case "mute-toggled":
      return toggleMute(state, action.machine);
    case "copying-changed":
      return { ...state, copying: withCopying(state.copying, action.id, action.copying) };
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
    default:
      return forgetPanes(reduceWorkspace(state, action));
  }
}

/** A machine of our making is shown at once; whoever is typing goes on typing where he is. */
function machineAdded(state: UiState, machine: MachineInfo, session?: string): UiState {
  const known = machinesOf(state).some(({ id }) => id === machine.id);
  const others = machinesOf(state).filter(({ id }) => id !== machine.id);
  let next = withMachines(state, [...others, machine]);
  const wanted = paneId(machine.id, session);
  if (session !== undefined && session !== mainSession) {
    // The list has put its main session there: what was asked for takes that place.
    next = addMachine(next, machine, session);
    if (!known) next = closePane(next, paneId(machine.id));
  }
  if (state.attached || state.dialog) return next;
  const tabs = next.tabs.map((tab, index) =>
    index === next.tab ? { ...tab, zoomed: false } : tab,
  );
  return select({ ...next, tabs }, wanted);
}

/** Closing an open file leads back to the list it was opened from. */
function withoutPatch(dialog: Dialog | undefined): Dialog | undefined {
  return dialog?.kind === "differences" && dialog.patch
    ? { ...dialog, patch: undefined }
    : undefined;
}

function moveDialog(dialog: Dialog | undefined, by: number, last: number): Dialog | undefined {
  const within = (value: number): number => Math.max(0, Math.min(last, value + by));
  if (!dialog) return dialog;
  if (dialog.kind === "differences" && dialog.patch) {
    return { ...dialog, patch: { ...dialog.patch, scroll: within(dialog.patch.scroll) } };
  }
  if ("index" in dialog) return { ...dialog, index: within(dialog.index) };
  return "scroll" in dialog ? { ...dialog, scroll: within(dialog.scroll) } : dialog;
}

/** The pane of a further session goes with its shell; the main one waits for a new shell. */
function changePane(state: UiState, id: PaneId, status: PaneStatus): UiState {
  const { machine, session } = paneTarget(id);
  if (status.kind === "ended" && session !== mainSession) {
    const sessions = (state.sessions[machine] ?? []).filter((name) => name !== session);
    const without = { ...state, sessions: { ...state.sessions, [machine]: sessions } };
    return forgetPanes(closePane(without, id));
  }
  const next = { ...state, panes: { ...state.panes, [id]: status } };
  const dead = state.selected === id && status.kind !== "live";
  return dead ? { ...next, attached: false } : next;
}

/** What a machine had to say is forgotten when it is muted. */
function toggleMute(state: UiState, machine: string): UiState {
  if (state.muted.includes(machine)) {
    return { ...state, muted: state.muted.filter((id) => id !== machine) };
  }
  const others = Object.entries(state.alerts).filter(([id]) => paneTarget(id).machine !== machine);
  return { ...state, muted: [...state.muted, machine], alerts: Object.fromEntries(others) };
}

function withCopying(
  all: UiState["copying"],
  id: PaneId,
  copying: Copying | undefined,
): UiState["copying"] {
  const { [id]: _, ...others } = all;
  return copying ? { ...others, [id]: copying } : others;
}

export function note(state: UiState, entry: LogEntry): UiState {
  return { ...state, notice: entry, log: [...state.log, entry].slice(-logLimit) };
}

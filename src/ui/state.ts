import type { MachineInfo } from "../runtime/host/host.ts";
import { moreUrgent } from "./attention/alert.ts";
import { type Config, defaultConfig } from "./config/parse-config.ts";
import { isTextDialog, withText } from "./dialogs/text-dialogs.ts";
import type { PaneId } from "./layout/pane-id.ts";
import { mainSession, paneId, paneTarget } from "./layout/pane-id.ts";
import { emptyTab } from "./layout/tab.ts";
import { addMachine, forgetPanes, withMachines } from "./machine-list.ts";
import { withWorkspace } from "./saved/workspace.ts";
import { machinesOf } from "./selectors.ts";
import type {
  Action,
  Copying,
  Dialog,
  FailedForm,
  LogEntry,
  PaneStatus,
  UiState,
} from "./state-types.ts";
import { canAttach, closePane, reduceWorkspace, select } from "./workspace.ts";

export type {
  Action,
  Copying,
  Dialog,
  LogEntry,
  PaneStatus,
  Task,
  UiState,
} from "./state-types.ts";

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
      return {
        ...state,
        dialog: action.dialog,
        attached: false,
        // It is shown in the form that is opened.
        draft: action.dialog.kind === "form" ? undefined : state.draft,
      };
    case "dialog-closed":
      return { ...state, dialog: withoutPatch(state.dialog) };
    case "dialog-edited":
      return state.dialog && isTextDialog(state.dialog)
        ? { ...state, dialog: withText(state.dialog, action.text) }
        : state;
    case "form-refused":
      return changeForm(state, (form) => ({ ...form, error: action.error }));
    case "form-sent":
      return changeForm(state, (form) => ({ ...form, error: undefined, starting: true }));
    case "form-done":
      return awaits(state.dialog, action.fields) ? { ...state, dialog: undefined } : state;
    case "form-failed":
      return formFailed(state, { fields: action.fields, error: action.error });
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

type Form = Dialog & { kind: "form" };

function changeForm(state: UiState, change: (form: Form) => Form): UiState {
  const { dialog } = state;
  return dialog?.kind === "form" ? { ...state, dialog: change(dialog) } : state;
}

/** Whether this is the form whose machine is being made. */
function awaits(dialog: Dialog | undefined, fields: Form["fields"]): boolean {
  return dialog?.kind === "form" && dialog.starting === true && dialog.fields === fields;
}

/** The form comes back as it was filled in; whoever is busy elsewhere finds it with the next one. */
function formFailed(state: UiState, failed: FailedForm): UiState {
  const free = !state.dialog && !state.attached;
  if (!free && !awaits(state.dialog, failed.fields)) return { ...state, draft: failed };
  const index = state.dialog?.kind === "form" ? state.dialog.index : 0;
  return { ...state, dialog: { kind: "form", ...failed, index } };
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

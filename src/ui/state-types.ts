import type { MachineDifference } from "../runtime/compare/index.ts";
import type { MachineInfo, SnapshotInfo } from "../runtime/host/host.ts";
import type { Alert } from "./attention/alert.ts";
import type { DifferencesDialog } from "./compare/differences.ts";
import type { FormField } from "./dialogs/new-machine.ts";
import type { TextDialog } from "./dialogs/text-dialogs.ts";
import type { Families } from "./families.ts";
import type { KeyBinding } from "./keymap.ts";
import type { PaneId } from "./layout/pane-id.ts";
import type { Tab } from "./layout/tab.ts";
import type { SavedWorkspace } from "./saved/workspace.ts";
import type { ShellState } from "./terminal/prompts.ts";
import type { TreeRow } from "./tree.ts";
import type { WorkspaceAction } from "./workspace.ts";

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

/** What a new machine was to be like, and why there is none. */
export interface FailedForm {
  fields: readonly FormField[];
  error: string;
}

/** Work under way at the host. */
export interface Task {
  id: number;
  /** What is done, e.g. `forking m1`. */
  label: string;
  machineId?: string;
  /** It brings forth a machine, which may be listed before the work is done. */
  starts?: boolean;
  /** It ends the machine, and with it the sessions of its panes. */
  stops?: boolean;
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
  /** A new machine that failed while the user was elsewhere: what was asked for, and why. */
  draft?: FailedForm;
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
  /** The machine that the open form asks for is being made. */
  | { type: "form-sent" }
  | { type: "form-done"; fields: readonly FormField[] }
  | ({ type: "form-failed" } & FailedForm)
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

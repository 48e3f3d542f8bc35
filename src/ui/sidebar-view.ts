import { printable } from "../runtime/printable.ts";
import { alertMark } from "./attention/alert.ts";
import { formatAge, formatBytes } from "./format.ts";
import type { PaneId } from "./layout/pane-id.ts";
import { machineName } from "./names.ts";
import { allPanes, type SidebarItem, sidebarItems } from "./selectors.ts";
import { spin } from "./spinner.ts";
import type { Task, UiState } from "./state.ts";
import { fit, windowStart } from "./text.ts";

/** What the sidebar shows, as plain data: equal views need no new drawing. */
export interface SidebarRow {
  id?: PaneId;
  /** Tree lines, state mark and name, padded to the column. */
  left: string;
  /** Age and memory. */
  right: string;
  /** Why it wants to be looked at; stands in front of `right`. */
  alert?: { text: string; urgent: boolean };
  tone: "normal" | "selected" | "attached" | "task" | "dim";
  /** Where in `left` the state mark stands, and the fork family whose colour it has. */
  mark?: { at: number; family: number };
}

export interface SidebarView {
  title: string;
  count: string;
  rows: SidebarRow[];
}

/** The sidebar's first machine stands on this line. */
export const sidebarTop = 2;

export function sidebarView(state: UiState, width: number, height: number): SidebarView {
  const tasks = rowlessTasks(state);
  const items = sidebarItems(state);
  const shown = allPanes(state);
  const room = Math.max(1, height - sidebarTop - tasks.length);
  const at = items.findIndex(({ pane }) => pane === state.selected);
  const start = windowStart(items.length, room, at);
  const rows = items
    .slice(start, start + room)
    .map((item) => itemRow(state, item, shown.has(item.pane), width - 2));
  for (const task of tasks) {
    rows.push({ left: `${spin(state.now)} ${task.label}…`, right: "", tone: "task" });
  }
  const running = state.machines.length;
  return { title: "machinen", count: running === 0 ? "" : `${running}`, rows };
}

/** Work that no machine's row shows: a machine that boots is the sign of the work that starts it. */
function rowlessTasks(state: UiState): Task[] {
  const { machines } = state;
  let booting = machines.filter(({ machine }) => machine.state === "booting").length;
  return state.tasks.filter((task) => {
    if (!task.shown || machines.some(({ machine }) => machine.id === task.machineId)) return false;
    return !(task.starts && booting-- > 0);
  });
}

function itemRow(state: UiState, item: SidebarItem, shown: boolean, width: number): SidebarRow {
  const { pane, machine, branch, session } = item;
  const selected = pane === state.selected;
  const tone = selected
    ? state.attached
      ? "attached"
      : "selected"
    : shown || machine.state !== "running"
      ? "normal"
      : "dim";
  const { mark, right } = session === undefined ? machineMarks(state, item) : sessionMarks(shown);
  const tags = session === undefined ? (state.tags[machine.id] ?? []) : [];
  const words = [session ?? machineName(machine), ...tags.map((tag) => `#${tag}`)];
  const name = printable(words.join(" "));
  const alert = alertOf(state, item);
  const room = width - right.length - 1 - (alert ? alert.text.length + 1 : 0);
  const left = fit(`${branch}${mark} ${name}`, room);
  const family = state.families[machine.id];
  return {
    id: pane,
    left,
    right,
    alert,
    tone,
    mark: family === undefined ? undefined : { at: branch.length, family },
  };
}

/** The alert of a pane; without one, that its shell waits for input, or that nobody wants to hear it. */
function alertOf(state: UiState, { pane, machine }: SidebarItem): SidebarRow["alert"] {
  const alert = state.alerts[pane];
  if (alert) return { text: alertMark(alert), urgent: alert.kind !== "activity" };
  if (state.muted.includes(machine.id)) return { text: "ø", urgent: false };
  return state.shells[pane] === "prompt" ? { text: "❯", urgent: false } : undefined;
}

function sessionMarks(shown: boolean): { mark: string; right: string } {
  return { mark: shown ? "▪" : "▫", right: "" };
}

function machineMarks(state: UiState, { machine }: SidebarItem): { mark: string; right: string } {
  const busy = state.tasks.find((task) => task.shown && task.machineId === machine.id);
  const moving = busy !== undefined || machine.state === "booting";
  const mark = moving ? spin(state.now) : machine.state === "paused" ? "‖" : "●";
  const age =
    machine.state === "running" ? formatAge(state.now - machine.startedAt) : machine.state;
  const right = busy
    ? busy.label.split(" ")[0]!
    : `${age} ${formatBytes(machine.rssBytes).padStart(4)}`.trim();
  return { mark, right };
}

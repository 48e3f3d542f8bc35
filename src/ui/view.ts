import { printable } from "../runtime/printable.ts";
import { formatAge, formatBytes, formatMoment, formatTime } from "./format.ts";
import { helpLines, hintsFor, type KeyHint } from "./keymap.ts";
import { machineName } from "./names.ts";
import { keyMode, present, selectedMachine, type Task, type UiState } from "./state.ts";
import type { TreeRow } from "./tree.ts";

/** What the chrome shows, as plain data: equal views need no new drawing. */
export interface SidebarRow {
  id?: string;
  /** Tree lines, state mark and name, padded to the column. */
  left: string;
  /** Age and memory. */
  right: string;
  tone: "normal" | "selected" | "attached" | "task" | "dim";
}

export interface SidebarView {
  title: string;
  count: string;
  rows: SidebarRow[];
}

export interface StatusView {
  badge: string;
  tone: "navigate" | "attached" | "dialog";
  hints: KeyHint[];
  notice?: { text: string; level: "error" | "info" };
  work?: string;
}

export interface DialogLine {
  text: string;
  key?: string;
  tone?: "dim" | "error" | "selected";
}

export interface DialogView {
  title: string;
  lines: DialogLine[];
  footer: string;
  width: number;
  height: number;
}

/** The sidebar's first machine stands on this line. */
export const sidebarTop = 2;
const spinner = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

function spin(now: number): string {
  return spinner[Math.floor(now / 100) % spinner.length]!;
}

/** Whether something moves: only then the clock has to tick faster than the list is polled. */
export function isAnimated(state: UiState): boolean {
  return (
    state.tasks.some((task) => task.shown) ||
    state.machines.some((row) => row.machine.state === "booting") ||
    Object.values(state.panes).some((pane) => pane.kind === "connecting")
  );
}

/** Long lists show the part around the selection. */
function windowStart(count: number, room: number, at: number): number {
  return Math.max(0, Math.min(count - room, at - Math.floor(room / 2)));
}

export function sidebarView(state: UiState, width: number, height: number): SidebarView {
  const tasks = rowlessTasks(state);
  const room = Math.max(1, height - sidebarTop - tasks.length);
  const at = state.machines.findIndex((row) => row.machine.id === state.selected);
  const start = windowStart(state.machines.length, room, at);
  const rows = state.machines
    .slice(start, start + room)
    .map((row) => machineRow(state, row, width - 2));
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

function machineRow(state: UiState, row: TreeRow, width: number): SidebarRow {
  const { machine, branch } = row;
  const busy = state.tasks.find((task) => task.shown && task.machineId === machine.id);
  const moving = busy !== undefined || machine.state === "booting";
  const mark = moving ? spin(state.now) : machine.state === "paused" ? "‖" : "●";
  const age =
    machine.state === "running" ? formatAge(state.now - machine.startedAt) : machine.state;
  const right = busy
    ? busy.label.split(" ")[0]!
    : `${age} ${formatBytes(machine.rssBytes).padStart(4)}`.trim();
  const left = fit(`${branch}${mark} ${printable(machineName(machine))}`, width - right.length - 1);
  const selected = machine.id === state.selected;
  const tone = selected ? (state.attached ? "attached" : "selected") : "normal";
  return { id: machine.id, left, right, tone };
}

/** Exactly `width` characters: padded, or cut with an ellipsis. */
export function fit(text: string, width: number): string {
  if (width <= 0) return "";
  const letters = [...text];
  return letters.length <= width
    ? text + " ".repeat(width - letters.length)
    : `${letters.slice(0, width - 1).join("")}…`;
}

export function statusView(state: UiState): StatusView {
  const mode = keyMode(state);
  const machine = selectedMachine(state);
  const task = state.tasks.findLast((candidate) => candidate.shown);
  const dialog = mode !== "navigate" && mode !== "attached";
  const attachedTo = mode === "attached" && machine ? printable(machineName(machine)) : undefined;
  const badge = attachedTo ?? (dialog ? "dialog" : "machines");
  return {
    badge,
    tone: mode === "attached" ? "attached" : dialog ? "dialog" : "navigate",
    hints: fitHints(hintsFor(mode, present(state)), state.cols - badge.length - 3),
    notice: state.notice && { text: state.notice.text, level: state.notice.level },
    work: task
      ? `${spin(state.now)} ${task.label}…`
      : state.notice?.level === "error" && mode === "navigate"
        ? "l log"
        : undefined,
  };
}

/** Drops hints until the rest fits; the last two (help and the way out) stay longest. */
export function fitHints(hints: readonly KeyHint[], width: number): KeyHint[] {
  const kept = [...hints];
  const used = (): number =>
    kept.reduce((sum, { key, hint }) => sum + key.length + hint.length + 4, 0) - 3;
  while (kept.length > 1 && used() > width) kept.splice(kept.length > 2 ? -3 : 0, 1);
  return kept;
}

/** The open dialog's content for a screen of this size; scrolling is already applied. */
export function dialogView(state: UiState): DialogView | undefined {
  const { dialog, cols, rows } = state;
  if (!dialog) return undefined;
  const room = Math.max(1, rows - 8);
  const wide = Math.min(84, cols - 4);
  if (dialog.kind === "confirm") {
    const lines = [
      { text: `Stop ${printable(dialog.name)}?` },
      { text: "What it has in memory is lost; a snapshot would keep it.", tone: "dim" as const },
    ];
    return sized("Stop", lines, "y yes    n no", Math.min(62, wide));
  }
  if (dialog.kind === "picker") {
    const all = pickerLines(dialog.snapshots, dialog.index);
    const start = windowStart(all.length, room, dialog.index);
    const lines = all.slice(start, start + room);
    return sized("Restore a snapshot", lines, "Enter restore    Esc close", wide);
  }
  const all = dialog.kind === "help" ? helpText() : logText(state);
  const start = Math.max(0, Math.min(dialog.scroll, all.length - room));
  const footer = all.length > room ? "↓ ↑ scroll    Esc close" : "Esc close";
  const title = dialog.kind === "help" ? "Keys" : "Log";
  return sized(title, all.slice(start, start + room), footer, wide);
}

/** How far the open dialog's cursor or scroll position can go. */
export function dialogLast(state: UiState): number {
  const { dialog } = state;
  if (dialog?.kind === "picker") return Math.max(0, (dialog.snapshots?.length ?? 1) - 1);
  const lines = dialog?.kind === "help" ? helpText().length : logText(state).length;
  return Math.max(0, lines - Math.max(1, state.rows - 8));
}

function sized(title: string, lines: DialogLine[], footer: string, width: number): DialogView {
  return { title, lines, footer, width, height: lines.length + 6 };
}

function pickerLines(
  snapshots: { directory: string; sourceName?: string; takenAt: number }[] | undefined,
  index: number,
): DialogLine[] {
  if (!snapshots) return [{ text: "looking for snapshots…", tone: "dim" }];
  if (snapshots.length === 0) {
    return [
      { text: "There are no snapshots yet: s writes one of the selected machine.", tone: "dim" },
    ];
  }
  return snapshots.map((snapshot, at) => ({
    text: `${at === index ? "▸" : " "} ${formatMoment(snapshot.takenAt)}  ${printable(snapshot.sourceName ?? "").padEnd(12)}  ${printable(snapshot.directory.split("/").at(-1) ?? "")}`,
    tone: at === index ? "selected" : undefined,
  }));
}

function helpText(): DialogLine[] {
  return [
    ...helpLines().map((line) => ({ key: line.keys, text: line.description })),
    { text: "" },
    { text: "While attached every other key goes to the machine.", tone: "dim" },
    { text: "Mouse: click a pane to select it, again to attach; the wheel scrolls.", tone: "dim" },
    { text: "A click on the selected pane's title zooms. Shift-drag selects text.", tone: "dim" },
  ];
}

function logText(state: UiState): DialogLine[] {
  if (state.log.length === 0) return [{ text: "Nothing has happened yet.", tone: "dim" }];
  const width = Math.min(84, state.cols - 4) - 16;
  return state.log.toReversed().flatMap((entry) =>
    wrapText(entry.text, width).map((text, index) => ({
      key: index === 0 ? formatTime(entry.at) : "",
      text,
      tone: entry.level === "error" ? ("error" as const) : undefined,
    })),
  );
}

/** Lines of at most `width` characters, broken at spaces where there are any. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    const end = space > width / 3 ? space : width;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

import { printable } from "../runtime/printable.ts";
import { alertMark, nextAlert } from "./attention/alert.ts";
import { type DifferencesDialog, differenceRows, patchLine } from "./compare/differences.ts";
import { choiceCount, textDialogView } from "./dialogs/text-dialog-views.ts";
import { isTextDialog } from "./dialogs/text-dialogs.ts";
import { formatMoment, formatTime } from "./format.ts";
import { helpLines, hintsFor, type KeyHint } from "./keymap.ts";
import { paneName } from "./names.ts";
import { areasOf, keyMode, present, synchronizedPanes } from "./selectors.ts";
import { spin } from "./spinner.ts";
import type { UiState } from "./state.ts";
import { tabMarks } from "./tab-marks.ts";
import { windowStart, wrapText } from "./text.ts";

/** What the chrome shows, as plain data: equal views need no new drawing. */
export interface StatusView {
  badge: string;
  tone: "navigate" | "attached" | "dialog";
  /** What lasts, beside the badge. */
  marks: string[];
  hints: KeyHint[];
  notice?: { text: string; level: "error" | "info" };
  work?: string;
}

export interface DialogLine {
  text: string;
  key?: string;
  tone?: "dim" | "error" | "selected" | "added" | "removed";
}

export interface DialogView {
  title: string;
  lines: DialogLine[];
  footer: string;
  width: number;
  height: number;
}

export function statusView(state: UiState): StatusView {
  const mode = keyMode(state);
  const task = state.tasks.findLast((candidate) => candidate.shown);
  const copying = mode.startsWith("copy");
  const dialog = mode !== "navigate" && mode !== "attached" && !copying;
  const attachedTo =
    mode === "attached" && state.selected !== undefined
      ? printable(paneName(state, state.selected))
      : undefined;
  const several = attachedTo !== undefined && synchronizedPanes(state).length > 0;
  const badge = several
    ? "all panes of the tab"
    : (attachedTo ?? (copying ? "copy" : dialog ? "dialog" : "machines"));
  const marks = tabMarks(state);
  const work = task
    ? `${spin(state.now)} ${task.label}…`
    : state.notice?.level === "error" && mode === "navigate"
      ? "l log"
      : hiddenAlert(state);
  const used = [badge, ...marks, ...(work ? [work] : [])].reduce(
    (sum, { length }) => sum + length + 3,
    0,
  );
  return {
    badge,
    tone: mode === "attached" ? "attached" : dialog || copying ? "dialog" : "navigate",
    marks,
    hints: fitHints(hintsFor(state.keymap, mode, present(state)), state.cols - used),
    notice: state.notice && { text: state.notice.text, level: state.notice.level },
    work,
  };
}

/** Where the sidebar with its marks is hidden, the most urgent one stands in the status line. */
function hiddenAlert(state: UiState): string | undefined {
  const id = areasOf(state).sidebar ? undefined : nextAlert(state.alerts);
  return id && `${alertMark(state.alerts[id]!)} ${printable(paneName(state, id))}`;
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
    const lines: DialogLine[] = [
      { text: `Stop ${printable(dialog.name)}?` },
      { text: "Its memory is lost unless a snapshot keeps it.", tone: "dim" },
    ];
    return sized("Stop", lines, "y yes    s snapshot, then stop    n no", Math.min(62, wide));
  }
  if (dialog.kind === "confirm-keep") {
    const names = dialog.drop.map(({ name }) => printable(name)).join(", ");
    const lines = [
      { text: `Keep ${printable(dialog.name)} and stop ${names}?` },
      { text: "What the others have in memory is lost.", tone: "dim" as const },
    ];
    return sized("Keep", lines, "y yes    n no", Math.min(62, wide));
  }
  if (dialog.kind === "differences") return differencesView(dialog, room, wide);
  if (dialog.kind === "picker") {
    const all = pickerLines(dialog.snapshots, dialog.index);
    const start = windowStart(all.length, room, dialog.index);
    const lines = all.slice(start, start + room);
    return sized("Restore a snapshot", lines, "Enter restore    Esc close", wide);
  }
  if (isTextDialog(dialog)) return textDialogView(state, dialog, room, wide);
  const all = dialog.kind === "help" ? helpText(state) : logText(state);
  const start = Math.max(0, Math.min(dialog.scroll, all.length - room));
  const footer = all.length > room ? "↓ ↑ scroll    Esc close" : "Esc close";
  const title = dialog.kind === "help" ? "Keys" : "Log";
  return sized(title, all.slice(start, start + room), footer, wide);
}

/** How far the open dialog's cursor or scroll position can go. */
export function dialogLast(state: UiState): number {
  const { dialog } = state;
  if (dialog?.kind === "picker") return Math.max(0, (dialog.snapshots?.length ?? 1) - 1);
  if (dialog && isTextDialog(dialog)) return Math.max(0, choiceCount(state, dialog) - 1);
  if (dialog?.kind === "differences") {
    const { patch } = dialog;
    if (!patch) return differenceRows(dialog).length - 1;
    return Math.max(0, patch.lines.length - Math.max(1, state.rows - 8));
  }
  const lines = dialog?.kind === "help" ? helpText(state).length : logText(state).length;
  return Math.max(0, lines - Math.max(1, state.rows - 8));
}

function differencesView(dialog: DifferencesDialog, room: number, width: number): DialogView {
  const { names, patch } = dialog;
  if (patch) {
    const lines = patch.lines.slice(patch.scroll, patch.scroll + room).map(patchLine);
    return sized(printable(patch.path), lines, "↓ ↑ scroll    Esc back", width);
  }
  const rows = differenceRows(dialog);
  const start = Math.max(0, windowStart(rows.length, room, dialog.index));
  const lines = rows.slice(start, start + room).map(({ line }, row) => {
    return start + row === dialog.index ? { ...line, tone: "selected" as const } : line;
  });
  return sized(`${names[0]} → ${names[1]}`, lines, "Enter open a file    Esc close", width);
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

function helpText(state: UiState): DialogLine[] {
  return [
    ...helpLines(state.keymap).map((line) => ({ key: line.keys, text: line.description })),
    { text: "" },
    { text: "While attached every other key goes to the machine.", tone: "dim" },
    {
      text: "Mouse: click a pane to select it, again to attach; drag to copy; the wheel scrolls.",
      tone: "dim",
    },
    {
      text: "A click on the selected pane's title zooms. Shift-drag selects text of a program that uses the mouse.",
      tone: "dim",
    },
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

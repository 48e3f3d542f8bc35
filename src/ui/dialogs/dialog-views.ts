import { printable } from "../../runtime/printable.ts";
import { type DifferencesDialog, differenceRows, patchLine } from "../compare/differences.ts";
import { formatMoment, formatTime } from "../format.ts";
import { keyOf } from "../keymap.ts";
import type { Dialog, UiState } from "../state.ts";
import { windowStart } from "../text.ts";
import {
  type DialogLine,
  type DialogView,
  dialogWidth,
  footerLines,
  keyColumn,
  sized,
  textRows,
  wrapLines,
} from "./dialog-view.ts";
import { helpText } from "./help.ts";
import { choiceCount, textDialogView } from "./text-dialog-views.ts";
import { isTextDialog } from "./text-dialogs.ts";

/** A question needs no more. */
const questionWidth = 62;
const answers = ["y yes", "s snapshot, then stop", "n no"];

/** The open dialog's content for a screen of this size; scrolling is already applied. */
export function dialogView(state: UiState): DialogView | undefined {
  const { dialog, rows } = state;
  if (!dialog) return undefined;
  const wide = dialogWidth(state.cols);
  if (dialog.kind === "confirm") {
    const question = `Stop ${printable(dialog.name)}?`;
    const about = "Its memory is lost unless a snapshot keeps it.";
    return questionView("Stop", question, about, answers, wide);
  }
  if (dialog.kind === "confirm-keep") {
    const names = dialog.drop.map(({ name }) => printable(name)).join(", ");
    const question = `Keep ${printable(dialog.name)} and stop ${names}?`;
    const about = "Their memory is lost unless snapshots keep it.";
    return questionView("Keep", question, about, answers, wide);
  }
  if (dialog.kind === "differences") return differencesView(dialog, rows, wide);
  if (dialog.kind === "picker") {
    const footer = footerLines(["Enter restore", "Esc close"], wide);
    const all = pickerLines(state, dialog, wide);
    const room = textRows(rows, footer);
    const start = windowStart(all.length, room, dialog.index);
    return sized("Restore a snapshot", all.slice(start, start + room), footer, wide);
  }
  if (isTextDialog(dialog)) return textDialogView(state, dialog, wide);
  const { lines, footer, room } = readingText(state, dialog);
  const start = Math.max(0, Math.min(dialog.scroll, lines.length - room));
  const title = dialog.kind === "help" ? "Keys" : "Log";
  return sized(title, lines.slice(start, start + room), footer, wide, keyColumn(lines));
}

/** How far the open dialog's cursor or scroll position can go. */
export function dialogLast(state: UiState): number {
  const { dialog } = state;
  if (dialog?.kind === "picker") return Math.max(0, (dialog.snapshots?.length ?? 1) - 1);
  if (dialog && isTextDialog(dialog)) return Math.max(0, choiceCount(state, dialog) - 1);
  if (dialog?.kind === "differences") {
    const { patch } = dialog;
    if (!patch) return differenceRows(dialog).length - 1;
    const footer = footerLines(patchFooter, dialogWidth(state.cols));
    return Math.max(0, patch.lines.length - textRows(state.rows, footer));
  }
  if (dialog?.kind !== "help" && dialog?.kind !== "log") return 0;
  const { lines, room } = readingText(state, dialog);
  return Math.max(0, lines.length - room);
}

function questionView(
  title: string,
  question: string,
  about: string,
  answers: readonly string[],
  wide: number,
): DialogView {
  const width = Math.min(questionWidth, wide);
  const lines = wrapLines([{ text: question }, { text: about, tone: "dim" }], width);
  return sized(title, lines, footerLines(answers, width), width);
}

const patchFooter = ["↓ ↑ scroll", "Esc back"];

function differencesView(dialog: DifferencesDialog, height: number, width: number): DialogView {
  const { names, patch } = dialog;
  if (patch) {
    const footer = footerLines(patchFooter, width);
    const room = textRows(height, footer);
    const lines = patch.lines.slice(patch.scroll, patch.scroll + room).map(patchLine);
    return sized(printable(patch.path), lines, footer, width);
  }
  const footer = footerLines(["Enter open a file", "Esc close"], width);
  const room = textRows(height, footer);
  const rows = differenceRows(dialog);
  const start = Math.max(0, windowStart(rows.length, room, dialog.index));
  const lines = rows.slice(start, start + room).map(({ line }, row) => {
    return start + row === dialog.index ? { ...line, tone: "selected" as const } : line;
  });
  return sized(`${names[0]} → ${names[1]}`, lines, footer, width);
}

function pickerLines(
  { keymap }: UiState,
  { snapshots, index }: Dialog & { kind: "picker" },
  width: number,
): DialogLine[] {
  if (!snapshots) return [{ text: "looking for snapshots…", tone: "dim" }];
  if (snapshots.length === 0) {
    const key = keyOf(keymap, "snapshot");
    const text = `There are no snapshots yet: ${key} writes one of the selected machine.`;
    return wrapLines([{ text, tone: "dim" }], width);
  }
  return snapshots.map((snapshot, at) => ({
    text: `${at === index ? "▸" : " "} ${formatMoment(snapshot.takenAt)}  ${printable(snapshot.sourceName ?? "").padEnd(12)}  ${printable(snapshot.directory.split("/").at(-1) ?? "")}`,
    tone: at === index ? "selected" : undefined,
  }));
}

/** All of a text that is only read, and how much of it is shown at once. */
function readingText(
  state: UiState,
  { kind }: Dialog & { kind: "help" | "log" },
): { lines: DialogLine[]; footer: string[]; room: number } {
  const width = dialogWidth(state.cols);
  const lines = kind === "help" ? helpText(state.keymap, width) : logText(state, width);
  const close = footerLines(["Esc close"], width);
  const fits = lines.length <= textRows(state.rows, close);
  const footer = fits ? close : footerLines(["↓ ↑ scroll", "Esc close"], width);
  return { lines, footer, room: textRows(state.rows, footer) };
}

function logText(state: UiState, width: number): DialogLine[] {
  if (state.log.length === 0) return [{ text: "Nothing has happened yet.", tone: "dim" }];
  const lines = state.log.toReversed().map(({ at, text, level }) => ({
    key: formatTime(at),
    text,
    tone: level === "error" ? ("error" as const) : undefined,
  }));
  return wrapLines(lines, width);
}

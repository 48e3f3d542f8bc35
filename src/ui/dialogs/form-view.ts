import { printable } from "../../runtime/printable.ts";
import { spin } from "../spinner.ts";
import type { UiState } from "../state.ts";
import { windowStart, wrapText } from "../text.ts";
import {
  type DialogLine,
  type DialogView,
  footerLines,
  keyColumn,
  sized,
  textRows,
  textWidth,
} from "./dialog-view.ts";
import type { TextDialog } from "./text-dialogs.ts";

type Form = TextDialog & { kind: "form" };

/** The new-machine dialog: its lines, and below them what went wrong or is under way. */
export function formView(state: UiState, dialog: Form, width: number): DialogView {
  const parts = dialog.starting
    ? ["Esc goes on without waiting"]
    : ["Enter start", "Tab next line", "Esc close"];
  const footer = footerLines(parts, width);
  const room = textRows(state.rows, footer);
  const keyWidth = keyColumn(dialog.fields.map(({ label }) => ({ key: `  ${label}`, text: "" })));
  const all = fieldLines(dialog, textWidth(width, keyWidth));
  // On a low screen what went wrong matters more than the fields around the current one.
  const below = messageLines(state, dialog, width).slice(0, Math.max(0, room - 1));
  const shown = Math.min(all.length, Math.max(1, room - below.length - 1));
  const start = windowStart(all.length, shown, dialog.index);
  const gap = room > shown + below.length ? [{ text: "" }] : [];
  const lines = [...all.slice(start, start + shown), ...gap, ...below];
  return sized("New machine", lines, footer, width, keyWidth);
}

function fieldLines({ fields, index: at, starting }: Form, width: number): DialogLine[] {
  return fields.map((field, index) => {
    const current = index === at && !starting;
    const text = printable(field.text);
    return {
      key: `${current ? "▸ " : "  "}${field.label}`,
      text: current
        ? `${tail(text, width - 1)}█${text ? "" : ` ${field.hint}`}`
        : text || field.hint,
      tone: current || text ? undefined : "dim",
    };
  });
}

/** A line that always is there, so that the box does not jump when there is something to say. */
function messageLines(state: UiState, { error, starting }: Form, width: number): DialogLine[] {
  if (starting) {
    const label = state.tasks.findLast((task) => task.starts)?.label;
    return [{ text: label ? `${spin(state.now)} ${label}…` : "" }];
  }
  return (error ?? "")
    .split("\n")
    .flatMap((line) => wrapText(line, textWidth(width)))
    .map((text) => ({ text, tone: "error" }));
}

/** The end of a text: where one types must be in sight. */
function tail(text: string, width: number): string {
  const letters = [...text];
  return letters.length <= width ? text : `…${letters.slice(letters.length - width + 1).join("")}`;
}

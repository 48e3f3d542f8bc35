import { printable } from "../runtime/printable.ts";
import { alertMark, nextAlert } from "./attention/alert.ts";
import { hintsFor, type KeyHint, keyOf } from "./keymap.ts";
import { paneName } from "./names.ts";
import { areasOf, keyMode, present, synchronizedPanes } from "./selectors.ts";
import { spin } from "./spinner.ts";
import type { UiState } from "./state.ts";
import { tabMarks } from "./tab-marks.ts";

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

/** Its keys are those of any line that is typed into, and not the user's to choose. */
const promptHints: readonly KeyHint[] = [
  { key: "Enter", hint: "done", lasting: true },
  { key: "Esc", hint: "back", lasting: true },
];

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
  const hints = mode === "copy-prompt" ? promptHints : hintsFor(state.keymap, mode, present(state));
  const work = task
    ? `${spin(state.now)} ${task.label}…`
    : state.notice?.level === "error" && mode === "navigate"
      ? `${keyOf(state.keymap, "log")} log`
      : hiddenAlert(state);
  const used = [badge, ...marks, ...(work ? [work] : [])].reduce(
    (sum, { length }) => sum + length + 3,
    0,
  );
  return {
    badge,
    tone: mode === "attached" ? "attached" : dialog || copying ? "dialog" : "navigate",
    marks,
    hints: fitHints(hints, state.cols - used),
    notice: state.notice && { text: state.notice.text, level: state.notice.level },
    work,
  };
}

/** Where the sidebar with its marks is hidden, the most urgent one stands in the status line. */
function hiddenAlert(state: UiState): string | undefined {
  const id = areasOf(state).sidebar ? undefined : nextAlert(state.alerts);
  return id && `${alertMark(state.alerts[id]!)} ${printable(paneName(state, id))}`;
}

/** Drops hints until the rest fits: the last ones first, but for those that stay longest. */
export function fitHints(hints: readonly KeyHint[], width: number): KeyHint[] {
  const kept = [...hints];
  const used = (): number =>
    kept.reduce((sum, { key, hint }) => sum + key.length + hint.length + 4, 0) - 3;
  while (kept.length > 1 && used() > width) {
    const last = kept.findLastIndex((hint) => !hint.lasting);
    kept.splice(Math.max(0, last), 1);
  }
  return kept;
}

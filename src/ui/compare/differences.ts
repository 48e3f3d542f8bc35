import type { FileDifference, MachineDifference } from "../../runtime/compare/index.ts";
import { printable } from "../../runtime/printable.ts";
import type { DialogLine } from "../dialogs/dialog-view.ts";

/** What the dialog of differences holds. */
export interface DifferencesDialog {
  kind: "differences";
  /** Machine ids and names of the two. */
  ids: readonly [string, string];
  names: readonly [string, string];
  /** Absent while the machines are looked at. */
  difference?: MachineDifference;
  /** The row under the cursor. */
  index: number;
  /** The open file. */
  patch?: { path: string; lines: readonly string[]; scroll: number };
}

/** A row of the list; rows of files can be opened. */
export interface DifferenceRow {
  line: DialogLine;
  file?: FileDifference;
}

const letters = { added: "+", removed: "-", changed: "~" } as const;
const tones = { added: "added", removed: "removed", changed: undefined } as const;

function letterOf(change: "added" | "removed"): [string, "added" | "removed"] {
  return [letters[change], tones[change]];
}

function author(file: FileDifference, names: readonly [string, string]): string {
  if (file.touchedBy === undefined) return "";
  return file.touchedBy === "both" ? "both" : names[file.touchedBy === "a" ? 0 : 1];
}

function fileRow(file: FileDifference, names: readonly [string, string]): DifferenceRow {
  const notes = [...file.aspects, author(file, names)].filter((note) => note !== "");
  const text = `${letters[file.change]} ${printable(file.path)}${notes.length > 0 ? `  (${notes.join(", ")})` : ""}`;
  return { line: { text, tone: tones[file.change] }, file };
}

const heading = (text: string): DifferenceRow => ({ line: { text, tone: "dim" } });

/** The list, section by section; what comes from the guests is made printable. */
export function differenceRows(dialog: DifferencesDialog): DifferenceRow[] {
  const { difference, names } = dialog;
  if (!difference) return [heading("looking at both machines…")];
  const { files, processes, sessions } = difference;
  const rows: DifferenceRow[] = [];
  const only = (side: "a" | "b") => names[side === "a" ? 0 : 1];
  if (files.length > 0) rows.push(heading("Files"), ...files.map((file) => fileRow(file, names)));
  if (processes.length > 0) rows.push(heading("Processes"));
  for (const process of processes) {
    const words = printable(process.command || `[${process.name}]`);
    const [letter, tone] = process.only === "a" ? letterOf("removed") : letterOf("added");
    const text = `${letter} ${process.pid} ${words}  (only in ${only(process.only)})`;
    rows.push({ line: { text, tone } });
  }
  for (const session of sessions) {
    rows.push(heading(`Session ${printable(session.name)}`));
    if (session.only) {
      const [letter, tone] = session.only === "a" ? letterOf("removed") : letterOf("added");
      rows.push({ line: { text: `${letter} only in ${only(session.only)}`, tone } });
    }
    if (session.lastStatus) {
      const { a, b } = session.lastStatus;
      rows.push({ line: { text: `~ last command ended with ${a ?? "?"} → ${b ?? "?"}` } });
    }
    for (const { name, a, b } of session.environment) {
      const value = (text?: string) => (text === undefined ? "(unset)" : printable(text));
      rows.push({ line: { text: `~ ${printable(name)}: ${value(a)} → ${value(b)}` } });
    }
  }
  return rows.length > 0 ? rows : [heading("They do not differ.")];
}

/** A line of a unified diff, coloured by its first character. */
export function patchLine(text: string): DialogLine {
  const shown = printable(text.replaceAll("\t", "    "));
  if (text.startsWith("+")) return { text: shown, tone: "added" };
  if (text.startsWith("-")) return { text: shown, tone: "removed" };
  return text.startsWith("@@") ? { text: shown, tone: "dim" } : { text: shown };
}

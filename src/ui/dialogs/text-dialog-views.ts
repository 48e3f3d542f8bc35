import { printable } from "../../runtime/printable.ts";
import { commands } from "../commands.ts";
import { describeKey } from "../keymap.ts";
import { paneName } from "../names.ts";
import { paletteEntries } from "../palette/commands.ts";
import { matchingItems } from "../palette/machines.ts";
import type { UiState } from "../state.ts";
import { windowStart } from "../text.ts";
import {
  type DialogLine,
  type DialogView,
  footerLines,
  keyColumn,
  sized,
  textRows,
  wrapLines,
} from "./dialog-view.ts";
import { formView } from "./form-view.ts";
import type { TextDialog } from "./text-dialogs.ts";

/** One line needs no more. */
const promptWidth = 62;

/** The content of a dialog into which the user types. */
export function textDialogView(state: UiState, dialog: TextDialog, wide: number): DialogView {
  switch (dialog.kind) {
    case "palette":
      return listView("Command", dialog, paletteLines(state, dialog.text), state.rows, wide, "run");
    case "finder":
      return listView(
        "Find a machine",
        dialog,
        machineLines(state, dialog.text),
        state.rows,
        wide,
        "go",
      );
    case "prompt": {
      const { description, argument } = commands[dialog.command];
      const width = Math.min(promptWidth, wide);
      const lines = [
        { text: `${printable(dialog.text)}█` },
        {
          text: `${dialog.command} ${ownArgument(argument)}: ${description}`,
          tone: "dim" as const,
        },
      ];
      const footer = footerLines(["Enter run", "Esc close"], width);
      return sized(dialog.command, wrapLines(lines, width), footer, width);
    }
    case "form":
      return formView(state, dialog, wide);
  }
}

/** A key that asks for words is about the selected machine: another one need not be named. */
function ownArgument(argument = ""): string {
  return argument.replace(/^\[machine\] /, "");
}

/** How many lines there are to choose from. */
export function choiceCount(state: UiState, dialog: TextDialog): number {
  if (dialog.kind === "palette") return paletteEntries(dialog.text).length;
  if (dialog.kind === "finder") return matchingItems(state, dialog.text).length;
  return dialog.kind === "form" ? dialog.fields.length : 1;
}

function paletteLines(state: UiState, text: string): DialogLine[] {
  const lines = paletteEntries(text).map(({ command, spec }) => {
    const binding = state.keymap.find(
      (row) => row.command === command && row.mode === "navigate" && !row.argument,
    );
    const key = binding ? describeKey(binding.keys[0]!) : "";
    const words = [command, spec.argument].filter(Boolean).join(" ");
    return { words, key, text: spec.description };
  });
  // Beside the command, not behind the description: that is cut where the dialog is narrow.
  const wide = Math.max(0, ...lines.map(({ words }) => words.length));
  return lines.map(({ words, key, text }) => ({ key: `${words.padEnd(wide)}  ${key}`, text }));
}

function machineLines(state: UiState, text: string): DialogLine[] {
  return matchingItems(state, text).map(({ pane, machine }) => {
    const tags = (state.tags[machine.id] ?? []).map((tag) => `#${tag}`).join(" ");
    return { key: printable(paneName(state, pane)), text: printable(`${machine.state}  ${tags}`) };
  });
}

function listView(
  title: string,
  dialog: { text: string; index: number },
  all: DialogLine[],
  rows: number,
  width: number,
  verb: string,
): DialogView {
  const footer = footerLines([`Enter ${verb}`, "↓ ↑ choose", "Esc close"], width);
  const shown = Math.max(1, Math.min(textRows(rows, footer) - 2, 14));
  const start = windowStart(all.length, shown, dialog.index);
  const lines = all
    .slice(start, start + shown)
    .map((line, index) => (start + index === dialog.index ? marked(line) : line));
  if (all.length === 0) lines.push({ text: "Nothing matches.", tone: "dim" });
  // A box that keeps its height does not jump while one types.
  while (lines.length < shown) lines.push({ text: "" });
  const input = { text: `: ${printable(dialog.text)}█` };
  return sized(title, [input, { text: "" }, ...lines], footer, width, keyColumn(all));
}

function marked(line: DialogLine): DialogLine {
  return { ...line, tone: "selected" };
}

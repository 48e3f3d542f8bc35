import { printable } from "../../runtime/printable.ts";
import { commands } from "../commands.ts";
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
import { paletteLines, usageLines } from "./palette-view.ts";
import type { TextDialog } from "./text-dialogs.ts";

/** One line needs no more. */
const promptWidth = 62;
const mostChoices = 14;
const fewestChoices = 5;
const choosing = ["↓ ↑ choose", "Esc close"];

type Listing = TextDialog & { kind: "palette" | "finder" };

/** The content of a dialog into which the user types. */
export function textDialogView(state: UiState, dialog: TextDialog, wide: number): DialogView {
  switch (dialog.kind) {
    case "palette":
      return paletteView(state, dialog, wide);
    case "finder":
      return listView("Find a machine", dialog, machineLines(state, dialog.text), {
        rows: state.rows,
        width: wide,
        footer: ["Enter go", ...choosing],
      });
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

function paletteView(state: UiState, dialog: Listing, width: number): DialogView {
  const entries = paletteEntries(dialog.text);
  return listView("Command", dialog, paletteLines(state.keymap, entries, width), {
    rows: state.rows,
    width,
    footer: ["Enter run", "Tab complete", ...choosing],
    below: usageLines(entries[dialog.index], width),
  });
}

function machineLines(state: UiState, text: string): DialogLine[] {
  return matchingItems(state, text).map(({ pane, machine }) => {
    const tags = (state.tags[machine.id] ?? []).map((tag) => `#${tag}`).join(" ");
    return { key: printable(paneName(state, pane)), text: printable(`${machine.state}  ${tags}`) };
  });
}

interface ListLook {
  rows: number;
  width: number;
  footer: string[];
  /** About the chosen line; left out where it would leave no room for a list. */
  below?: DialogLine[];
}

function listView(title: string, dialog: Listing, all: DialogLine[], look: ListLook): DialogView {
  const { rows, width, below = [] } = look;
  const footer = footerLines(look.footer, width);
  const room = textRows(rows, footer) - 2;
  const about = room - below.length - 1 >= fewestChoices ? below : [];
  const shown = Math.max(
    1,
    Math.min(room - (about.length > 0 ? about.length + 1 : 0), mostChoices),
  );
  const start = windowStart(all.length, shown, dialog.index);
  const lines = all
    .slice(start, start + shown)
    .map((line, index) => (start + index === dialog.index ? marked(line) : line));
  if (all.length === 0) lines.push({ text: "Nothing matches.", tone: "dim" });
  // A box that keeps its height does not jump while one types.
  while (lines.length < shown) lines.push({ text: "" });
  if (about.length > 0) lines.push({ text: "" }, ...about);
  const input = { text: `: ${printable(dialog.text)}█` };
  return sized(title, [input, { text: "" }, ...lines], footer, width, keyColumn(all));
}

function marked(line: DialogLine): DialogLine {
  return { ...line, tone: "selected" };
}

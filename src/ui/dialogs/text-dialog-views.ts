import { printable } from "../../runtime/printable.ts";
import { commands } from "../commands.ts";
import { describeKey } from "../keymap.ts";
import { paneName } from "../names.ts";
import { paletteEntries } from "../palette/commands.ts";
import { matchingItems } from "../palette/machines.ts";
import type { UiState } from "../state.ts";
import { windowStart } from "../text.ts";
import type { DialogLine, DialogView } from "../view.ts";
import type { TextDialog } from "./text-dialogs.ts";

/** The content of a dialog into which the user types. */
export function textDialogView(
  state: UiState,
  dialog: TextDialog,
  room: number,
  width: number,
): DialogView {
  switch (dialog.kind) {
    case "palette":
      return listView("Command", dialog, paletteLines(state, dialog.text), room, width, "run");
    case "finder":
      return listView(
        "Find a machine",
        dialog,
        machineLines(state, dialog.text),
        room,
        width,
        "go",
      );
    case "prompt": {
      const { description, argument } = commands[dialog.command];
      const lines = [
        { text: `${printable(dialog.text)}█` },
        { text: `${dialog.command} ${argument ?? ""}: ${description}`, tone: "dim" as const },
      ];
      return sized(dialog.command, lines, "Enter run    Esc close", Math.min(62, width));
    }
    case "form":
      return formView(dialog, width);
  }
}

/** How many lines there are to choose from. */
export function choiceCount(state: UiState, dialog: TextDialog): number {
  if (dialog.kind === "palette") return paletteEntries(dialog.text).length;
  if (dialog.kind === "finder") return matchingItems(state, dialog.text).length;
  return dialog.kind === "form" ? dialog.fields.length : 1;
}

function paletteLines(state: UiState, text: string): DialogLine[] {
  return paletteEntries(text).map(({ command, spec }) => {
    const binding = state.keymap.find(
      (row) => row.command === command && row.mode === "navigate" && !row.argument,
    );
    const keys = binding ? `  ${describeKey(binding.keys[0]!)}` : "";
    const words = [command, spec.argument].filter(Boolean).join(" ");
    return { key: words, text: `${spec.description}${keys}` };
  });
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
  room: number,
  width: number,
  verb: string,
): DialogView {
  const shown = Math.max(1, Math.min(room - 2, 14));
  const start = windowStart(all.length, shown, dialog.index);
  const lines = all
    .slice(start, start + shown)
    .map((line, index) => (start + index === dialog.index ? marked(line) : line));
  if (all.length === 0) lines.push({ text: "Nothing matches.", tone: "dim" });
  // A box that keeps its height does not jump while one types.
  while (lines.length < shown) lines.push({ text: "" });
  const input = { text: `: ${printable(dialog.text)}█` };
  return sized(
    title,
    [input, { text: "" }, ...lines],
    `Enter ${verb}    ↓ ↑ choose    Esc close`,
    width,
  );
}

function formView(dialog: TextDialog & { kind: "form" }, width: number): DialogView {
  const lines: DialogLine[] = dialog.fields.map((field, index) => {
    const current = index === dialog.index;
    const text = printable(field.text);
    return {
      key: `${current ? "▸ " : "  "}${field.label}`,
      text: current ? `${text}█${text ? "" : ` ${field.hint}`}` : text || field.hint,
      tone: current || text ? undefined : "dim",
    };
  });
  lines.push({ text: "" }, { text: dialog.error ?? "", tone: "error" });
  return sized("New machine", lines, "Enter start    Tab next line    Esc close", width);
}

function marked(line: DialogLine): DialogLine {
  return { ...line, tone: "selected" };
}

function sized(title: string, lines: DialogLine[], footer: string, width: number): DialogView {
  return { title, lines, footer, width, height: lines.length + 6 };
}

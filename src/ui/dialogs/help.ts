import { helpLines, type KeyBinding } from "../keymap.ts";
import { type DialogLine, wrapLines } from "./dialog-view.ts";

const notes = [
  "While attached every other key goes to the machine.",
  "Mouse: click a pane to select it, again to attach; drag to copy; the wheel scrolls.",
  "A click on the selected pane's title zooms. Shift-drag selects text of a program that uses the mouse.",
];

/** Every key and what it does, whole, however narrow the dialog is. */
export function helpText(keymap: readonly KeyBinding[], width: number): DialogLine[] {
  const lines: DialogLine[] = helpLines(keymap).map(({ keys, description }) => {
    return { key: keys, text: description };
  });
  const about = notes.map((text): DialogLine => ({ text, tone: "dim" }));
  return wrapLines([...lines, { text: "" }, ...about], width);
}

import { describeKey, type KeyBinding } from "../keymap.ts";
import type { PaletteEntry } from "../palette/commands.ts";
import { paletteEntries } from "../palette/commands.ts";
import { fit, wrapText } from "../text.ts";
import { type DialogLine, textWidth } from "./dialog-view.ts";

/** Of a description narrower than this nothing can be understood. */
const leastText = 16;
const gap = "  ";
/** Lines of the usage of the chosen command, at most. */
const mostUsage = 3;

/** Widths that stay the same whatever is typed: columns that jump cannot be read. */
const nameWidth = Math.max(...paletteEntries("").map(({ command }) => command.length));

/** The commands that a line may mean: name, as much of the description as there is room for, key. */
export function paletteLines(
  keymap: readonly KeyBinding[],
  entries: readonly PaletteEntry[],
  width: number,
): DialogLine[] {
  const keyOf = ({ command }: PaletteEntry): string => {
    const binding = keymap.find(
      (row) => row.command === command && row.mode === "navigate" && !row.argument,
    );
    return binding ? describeKey(binding.keys[0]!) : "";
  };
  const keyWidth = Math.max(...paletteEntries("").map((entry) => keyOf(entry).length));
  const room = textWidth(width, nameWidth);
  const textRoom = room - keyWidth - gap.length;
  return entries.map((entry) => {
    const text = textRoom < leastText ? "" : fit(entry.spec.description, textRoom) + gap;
    return {
      key: entry.command.padEnd(nameWidth),
      text: text + keyOf(entry).padStart(room - text.length),
    };
  });
}

/** What the chosen command takes and does, whole; as many lines as any needs, so that none jumps. */
export function usageLines(chosen: PaletteEntry | undefined, width: number): DialogLine[] {
  const room = textWidth(width);
  const height = Math.max(
    ...paletteEntries("").map((entry) => wrapText(usage(entry), room).length),
  );
  const lines = chosen ? wrapText(usage(chosen), room) : [];
  return Array.from({ length: Math.min(height, mostUsage) }, (_, index) => ({
    text: lines[index] ?? "",
    tone: "dim",
  }));
}

function usage({ command, spec }: PaletteEntry): string {
  return `${[command, spec.argument].filter(Boolean).join(" ")}: ${spec.description}`;
}

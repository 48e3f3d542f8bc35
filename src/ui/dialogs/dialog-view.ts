import { wrapText } from "../text.ts";

export interface DialogLine {
  text: string;
  /** Stands in a column of its own in front of the text. */
  key?: string;
  tone?: "dim" | "error" | "selected" | "added" | "removed";
}

/** What a dialog shows, as plain data: equal views need no new drawing. */
export interface DialogView {
  title: string;
  lines: DialogLine[];
  /** Width of the column of keys, also when lines with wider ones are scrolled away. */
  keyWidth: number;
  footer: string[];
  width: number;
  height: number;
}

/** Borders and padding at both sides. */
const besides = 6;
/** Borders, title and the empty lines around the text. */
const around = 5;
/** A screen of so many rows has room for an empty line above and below the dialog. */
const roomyRows = 20;
const keyGap = 2;
/** Between the parts of a footer. */
const partGap = "    ";

/** The dialogs' width on a screen of so many columns. */
export function dialogWidth(cols: number): number {
  return Math.min(84, cols - 4);
}

/** How wide a text may be in a dialog of this width. */
export function textWidth(width: number, keyWidth = 0): number {
  return Math.max(1, width - besides - (keyWidth > 0 ? keyWidth + keyGap : 0));
}

/** How many lines of text a screen of so many rows has room for. */
export function textRows(rows: number, footer: readonly string[]): number {
  const statusLine = 1;
  const outside = statusLine + (rows < roomyRows ? 0 : 2);
  return Math.max(1, rows - outside - around - footer.length);
}

/** A footer's parts, on as many lines as they need. */
export function footerLines(parts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const line = lines.at(-1);
    const longer = line === undefined ? part : line + partGap + part;
    if (line !== undefined && longer.length <= textWidth(width)) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines;
}

/** Width of the column of keys that these lines need. */
export function keyColumn(lines: readonly DialogLine[]): number {
  return Math.max(0, ...lines.map(({ key }) => key?.length ?? 0));
}

/** The lines with every text broken where it would be cut. */
export function wrapLines(lines: readonly DialogLine[], width: number): DialogLine[] {
  const keyWidth = keyColumn(lines);
  return lines.flatMap((line) => {
    const room = textWidth(width, line.key === undefined ? 0 : keyWidth);
    return wrapText(line.text, room).map((text, index) => ({
      ...line,
      text,
      ...(line.key === undefined ? {} : { key: index === 0 ? line.key : "" }),
    }));
  });
}

export function sized(
  title: string,
  lines: DialogLine[],
  footer: string[],
  width: number,
  keyWidth = keyColumn(lines),
): DialogView {
  return { title, lines, keyWidth, footer, width, height: lines.length + around + footer.length };
}

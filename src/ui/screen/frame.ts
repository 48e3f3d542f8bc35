import { BG_LINKED } from "./cell.ts";
import type { Grid } from "./grid.ts";
import { allowedLink } from "./link.ts";
import { Pen } from "./pen.ts";
import { type Attributes, applySgr, underlineOf } from "./sgr-parser.ts";

/**
 * Draw an Ink frame (text, SGR, links, newlines) into a rectangle; what the frame leaves free
 * becomes blank, what exceeds the rectangle is cut. Anything else Ink could write is skipped.
 */
export function parseFrame(
  ansi: string,
  grid: Grid,
  x: number,
  y: number,
  w: number,
  h: number,
): void {
  grid.compactTables();
  const right = Math.min(grid.cols, x + w);
  const bottom = Math.min(grid.rows, y + h);
  const style: Attributes = { fg: 0, bg: 0, ext: 0 };
  let link = 0;
  let row = y;
  let pen = new Pen(grid, x, row, row < bottom ? right : x);
  const endRow = () => {
    pen.finish();
    if (row < bottom) grid.fill(Math.min(pen.x, right), row, right - Math.min(pen.x, right), 1);
  };
  for (let i = 0; i < ansi.length && row < bottom; ) {
    const code = ansi.charCodeAt(i);
    if (code === 10) {
      endRow();
      row++;
      pen = new Pen(grid, x, row, row < bottom ? right : x);
      i++;
    } else if (code === 27) {
      const end = sequenceEnd(ansi, i);
      const sequence = ansi.slice(i + 2, end);
      if (ansi[i + 1] === "[" && sequence.endsWith("m")) applySgr(sequence.slice(0, -1), style);
      else if (ansi.startsWith("\x1b]8;", i)) link = grid.linkTable.id(linkTarget(sequence));
      pen.breakJoin();
      i = end;
    } else {
      let end = i + 1;
      while (end < ansi.length && ansi.charCodeAt(end) !== 27 && ansi.charCodeAt(end) !== 10) end++;
      const bg = link === 0 ? style.bg : style.bg | BG_LINKED;
      pen.write(ansi.slice(i, end), style.fg, bg, underlineOf(style), link);
      i = end;
    }
  }
  endRow();
  if (row + 1 < bottom) grid.fill(x, row + 1, w, bottom - row - 1);
}

// Where the escape sequence at `start` ends; the end of the text when it never does.
function sequenceEnd(ansi: string, start: number): number {
  const kind = ansi[start + 1];
  if (kind === "[") {
    for (let i = start + 2; i < ansi.length; i++) {
      const code = ansi.charCodeAt(i);
      if (code >= 0x40 && code <= 0x7e) return i + 1;
    }
    return ansi.length;
  }
  if (kind === "]") {
    for (let i = start + 2; i < ansi.length; i++) {
      if (ansi.charCodeAt(i) === 7) return i + 1;
      if (ansi.charCodeAt(i) === 27) return ansi[i + 1] === "\\" ? i + 2 : i;
    }
    return ansi.length;
  }
  return Math.min(ansi.length, start + 2);
}

// `8;params;target`, with its terminator still there.
function linkTarget(sequence: string): string {
  const body = sequence.replace(/(\x07|\x1b\\)$/, "");
  return allowedLink(body.slice(body.indexOf(";", 2) + 1));
}

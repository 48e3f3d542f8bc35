import type { Rect } from "../layout/rect.ts";
import {
  CELL_WORDS,
  COLOUR_16,
  COLOUR_BITS,
  FG_BOLD,
  FG_INVERSE,
  FG_UNDERLINE,
} from "../screen/cell.ts";
import type { Grid } from "../screen/grid.ts";
import type { Cursor } from "../screen/painter.ts";
import type { CopyMode } from "./copy-mode.ts";
import type { Span } from "./selection.ts";

const YELLOW = COLOUR_16 | 3;
const BLACK = COLOUR_16;
const promptWords = { search: "/", "search-back": "?", save: "write to file: " };

/** Draws the frozen picture with selection, matches and prompt; returns where the cursor is. */
export function drawCopyMode(mode: CopyMode, grid: Grid, inside: Rect, colour: boolean): Cursor {
  const width = Math.min(inside.width, mode.snapshot.cols);
  const selected = mode.selected;
  for (let line = 0; line < inside.height; line++) {
    const row = mode.top + line;
    const y = inside.y + line;
    mode.snapshot.copyRow(line < mode.height ? row : -1, grid, inside.x, y, inside.width);
    if (line >= mode.height) continue;
    for (const match of mode.matchSpans(row)) {
      const fg = match.current ? FG_BOLD | FG_INVERSE : 0;
      restyle(grid, inside.x, y, clip(match, width), (old, bg) =>
        colour
          ? [(old & ~COLOUR_BITS) | BLACK | fg, (bg & ~COLOUR_BITS) | YELLOW]
          : [old | fg | FG_UNDERLINE, bg],
      );
    }
    const span = selected?.span(row);
    if (span) restyle(grid, inside.x, y, clip(span, width), (fg, bg) => [fg ^ FG_INVERSE, bg]);
  }
  const bottom = inside.y + inside.height - 1;
  const cursor = { x: inside.x + mode.cursor.x, y: inside.y + mode.cursor.row - mode.top };
  if (mode.prompt || mode.message) {
    const text = mode.prompt ? promptWords[mode.prompt.kind] + mode.prompt.text : mode.message;
    grid.fill(inside.x, bottom, inside.width, 1, { fg: FG_INVERSE });
    const used = grid.drawText(
      inside.x,
      bottom,
      tail(text, inside.width - 1),
      { fg: FG_INVERSE },
      inside.width,
    );
    if (mode.prompt) Object.assign(cursor, { x: inside.x + used, y: bottom });
  }
  return { ...cursor, visible: true, shape: "block", blink: false };
}

function clip({ from, to }: Span, width: number): Span {
  return { from: Math.min(from, width), to: Math.min(to, width) };
}

function restyle(
  grid: Grid,
  x: number,
  y: number,
  { from, to }: Span,
  change: (fg: number, bg: number) => [fg: number, bg: number],
): void {
  for (let column = x + from; column < x + to && column < grid.cols; column++) {
    const cell = y * grid.cols + column;
    const at = cell * CELL_WORDS;
    const [content, oldFg, oldBg, ext] = grid.cells.subarray(
      at,
      at + CELL_WORDS,
    ) as unknown as number[];
    const [fg, bg] = change(oldFg!, oldBg!);
    grid.put(column, y, content!, fg, bg, fg & FG_UNDERLINE ? ext! : 0, grid.links[cell]!);
  }
}

/** The end of a text that is too long for its place. */
function tail(text: string, width: number): string {
  const letters = [...text];
  return letters.length <= width ? text : `…${letters.slice(letters.length - width + 1).join("")}`;
}

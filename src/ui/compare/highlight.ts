import type { Rect } from "../layout/rect.ts";
import { CELL_WORDS, FG_INVERSE, WIDE_TAIL } from "../screen/cell.ts";
import type { Grid } from "../screen/grid.ts";

/** Inverts every cell that is not the same in all of the rectangles; what not all have is left alone. */
export function markDifferences(grid: Grid, rects: readonly Rect[]): void {
  const [first, ...others] = rects;
  if (!first || others.length === 0) return;
  const width = Math.min(...rects.map((rect) => rect.width));
  const height = Math.min(...rects.map((rect) => rect.height));
  const content = (rect: Rect, x: number, y: number): number =>
    grid.cells[((rect.y + y) * grid.cols + rect.x + x) * CELL_WORDS]!;
  for (let y = 0; y < height; y++) {
    let differs = false;
    for (let x = 0; x < width; x++) {
      const here = content(first, x, y);
      // The second half of a wide character goes with the first.
      const isTail = here === WIDE_TAIL && others.every((rect) => content(rect, x, y) === here);
      if (!isTail) differs = others.some((rect) => content(rect, x, y) !== here);
      if (differs) for (const rect of rects) invert(grid, rect.x + x, rect.y + y);
    }
  }
}

function invert(grid: Grid, x: number, y: number): void {
  const cell = y * grid.cols + x;
  const at = cell * CELL_WORDS;
  const { cells } = grid;
  grid.put(
    x,
    y,
    cells[at]!,
    cells[at + 1]! ^ FG_INVERSE,
    cells[at + 2]!,
    cells[at + 3]!,
    grid.links[cell]!,
  );
}

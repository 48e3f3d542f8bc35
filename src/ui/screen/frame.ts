import type { Grid } from "./grid.ts";

/** Draw an Ink frame (text, SGR, newlines) into a rectangle; what the frame leaves free becomes blank. */
export function parseFrame(
  _ansi: string,
  _grid: Grid,
  _x: number,
  _y: number,
  _w: number,
  _h: number,
): void {}

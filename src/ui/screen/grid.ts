import type { CellStyle } from "./cell.ts";

/** A screen of cells. Rows carry a version that rises only when one of their cells really changed. */
export class Grid {
  cols: number;
  rows: number;
  constructor(cols: number, rows: number) {
    this.cols = cols;
    this.rows = rows;
  }
  /** New size; everything becomes blank. */
  resize(_cols: number, _rows: number): void {}
  /** Blank a rectangle (clipped to the grid). */
  fill(_x: number, _y: number, _w: number, _h: number, _style?: CellStyle): void {}
  /** Copy a rectangle of another grid; wide characters cut at its edges become spaces. */
  copyFrom(
    _from: Grid,
    _sx: number,
    _sy: number,
    _w: number,
    _h: number,
    _x: number,
    _y: number,
  ): void {}
  /** Draw text on one row, at most `maxWidth` columns; returns the columns used. */
  drawText(_x: number, _y: number, _text: string, _style?: CellStyle, _maxWidth?: number): number {
    return 0;
  }
}

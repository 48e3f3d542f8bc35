import { isUnsafe } from "../../runtime/printable.ts";
import { BLANK, CELL_WORDS, COMBINED, WIDE_TAIL, WIDTH_SHIFT } from "./cell.ts";
import type { Grid } from "./grid.ts";
import { joins, unicodeProvider, widthOf } from "./unicode.ts";

/**
 * Writes text into one row of a grid between two columns, joining combining marks exactly as a
 * pane's terminal does.
 */
export class Pen {
  x: number;
  private preceding = 0;
  private lastX = -1;
  private lastText = "";
  private clipped = false;
  private readonly start: number;
  private readonly grid: Grid;
  private readonly y: number;
  private readonly end: number;

  constructor(grid: Grid, x: number, y: number, end: number) {
    this.grid = grid;
    this.x = x;
    this.start = x;
    this.y = y;
    this.end = y >= 0 && y < grid.rows ? end : x;
    if (this.end > x) grid.cutWide(x, y);
  }

  write(text: string, fg: number, bg: number, ext: number, link: number): void {
    for (let i = 0; i < text.length; ) {
      const code = text.codePointAt(i) ?? 0;
      i += code > 0xffff ? 2 : 1;
      this.writeCode(code, fg, bg, ext, link);
    }
  }

  /** A wide character cut by the text's end loses its other half. */
  finish(): void {
    if (this.x > this.start && this.end > this.start)
      this.grid.cutWide(Math.min(this.x, this.end), this.y);
  }

  /** Colours changed in between: marks no longer join the character before. */
  breakJoin(): void {
    this.preceding = 0;
  }

  private writeCode(code: number, fg: number, bg: number, ext: number, link: number): void {
    if (code < 32 || (code >= 0x7f && code < 0xa0)) return;
    const properties = unicodeProvider.charProperties(code, this.preceding);
    this.preceding = properties;
    if (joins(properties)) {
      this.join(code);
      return;
    }
    const width = Math.max(1, widthOf(properties));
    if (this.clipped || this.x >= this.end) {
      this.clipped = true;
      return;
    }
    if (this.x + width > this.end) {
      this.clipped = true;
      code = 32;
    }
    this.cell(code, widthOf(properties) === 0 ? 1 : width, fg, bg, ext, link);
  }

  private cell(
    code: number,
    width: number,
    fg: number,
    bg: number,
    ext: number,
    link: number,
  ): void {
    const { grid, x, y } = this;
    const blank =
      this.clipped || isUnsafe(code) || (width === 1 && unicodeProvider.wcwidth(code) === 0);
    const drawn = this.clipped ? 1 : width;
    if (x < 0) {
      // Columns left of the grid are counted, not drawn.
      this.x += drawn;
      this.lastX = -1;
      if (this.x > 0) {
        grid.cutWide(1, y);
        grid.put(0, y, BLANK, fg, bg, ext, link);
      }
      return;
    }
    grid.cutWide(x + drawn, y);
    if (blank) {
      for (let i = 0; i < drawn; i++) grid.put(x + i, y, BLANK, fg, bg, ext, link);
      this.lastX = -1;
    } else {
      grid.put(x, y, code | (width << WIDTH_SHIFT), fg, bg, ext, link);
      if (width === 2) grid.put(x + 1, y, WIDE_TAIL, fg, bg, ext, link);
      this.lastX = x;
      this.lastText = String.fromCodePoint(code);
    }
    this.x += drawn;
  }

  private join(code: number): void {
    const { grid, y } = this;
    if (this.lastX < 0 || this.clipped || isUnsafe(code)) return;
    this.lastText += String.fromCodePoint(code);
    const cell = y * grid.cols + this.lastX;
    const at = cell * CELL_WORDS;
    const width = (grid.cells[at] as number) >>> WIDTH_SHIFT;
    grid.put(
      this.lastX,
      y,
      grid.texts.id(this.lastText) | COMBINED | (width << WIDTH_SHIFT),
      grid.cells[at + 1] as number,
      grid.cells[at + 2] as number,
      grid.cells[at + 3] as number,
      grid.links[cell] as number,
    );
  }
}

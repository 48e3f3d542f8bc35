import type { Grid } from "../screen/grid.ts";
import { copyLine } from "./cells.ts";
import type { PaneColours } from "./colours.ts";
import type { XtermCore, XtermLine, XtermMarker } from "./xterm.ts";

/** A line of text that may stand in several rows because it is wider than the screen. */
export interface LogicalLine {
  text: string;
  /** First row, and the number of rows. */
  row: number;
  rows: number;
  /** For each code unit of `text`, its cell counted from the start of the first row. */
  cells: number[];
}

/** A frozen copy of a pane's scrollback and screen. Rows are counted from the oldest. */
export class Snapshot {
  readonly cols: number;
  /** Rows of the screen; what is above them is history. */
  readonly rows: number;
  /** Rows with a prompt, in order. */
  readonly prompts: readonly number[];
  private readonly core: XtermCore;
  private readonly lines: XtermLine[];
  private readonly colours: PaneColours | null;
  private readonly buffer: XtermCore["buffers"]["active"];
  /** Keeps place of the last row while the pane goes on. */
  private readonly anchor: XtermMarker;

  constructor(
    core: XtermCore,
    cols: number,
    rows: number,
    prompts: readonly number[],
    colours: PaneColours | null,
  ) {
    this.core = core;
    this.cols = cols;
    this.rows = rows;
    this.colours = colours;
    this.buffer = core.buffers.active;
    this.prompts = this.buffer === core.buffers.normal ? prompts : [];
    this.lines = Array.from({ length: this.buffer.ybase + rows }, (_, row) =>
      (this.buffer.lines.get(row) as XtermLine).clone(),
    );
    this.anchor = this.buffer.addMarker(this.lines.length - 1);
  }

  get length(): number {
    return this.lines.length;
  }

  /** Whether this row continues the one above. */
  wraps(row: number): boolean {
    return this.lines[row]?.isWrapped ?? false;
  }

  /** The text of cells `from` to `to` (not included) of a row. */
  textOf(row: number, from = 0, to = this.cols, trim = true): string {
    return this.lines[row]?.translateToString(trim, from, to) ?? "";
  }

  /** The row's text; `columns` gets the column of each code unit, then the one behind them all. */
  textWithColumns(row: number, columns: number[]): string {
    return this.lines[row]?.translateToString(true, 0, this.cols, columns) ?? "";
  }

  /** The whole line of which this row is a part. */
  logicalLine(row: number): LogicalLine {
    let first = row;
    while (first > 0 && this.wraps(first)) first--;
    let text = "";
    const cells: number[] = [];
    let rows = 0;
    do {
      const columns: number[] = [];
      const last = !this.wraps(first + rows + 1);
      text += this.lines[first + rows]!.translateToString(last, 0, this.cols, columns);
      columns.pop();
      for (const column of columns) cells.push(rows * this.cols + column);
      rows++;
    } while (this.wraps(first + rows));
    return { text, row: first, rows, cells };
  }

  /** Whether a column holds the second half of a wide character. */
  isTail(row: number, column: number): boolean {
    const data = this.lines[row]?._data;
    return data !== undefined && column > 0 && data[column * 3]! >>> 22 === 0 && column < this.cols
      ? data[(column - 1) * 3]! >>> 22 === 2
      : false;
  }

  copyRow(row: number, grid: Grid, x: number, y: number, w: number): void {
    copyLine(this.core, this.lines[row], grid, x, y, w, this.colours);
  }

  /**
   * Marks rows of the live buffer, so that `resolve` finds them after it has been reflowed; rows
   * that are gone by then resolve to undefined.
   */
  track(rows: readonly number[]): { resolve(): (number | undefined)[] } {
    const { active } = this.core.buffers;
    const shift = this.anchor.isDisposed ? undefined : this.anchor.line - (this.length - 1);
    const markers = rows.map((row) => {
      if (shift === undefined || active !== this.buffer || row + shift < 0) return undefined;
      return this.buffer.addMarker(row + shift);
    });
    return {
      resolve: () =>
        markers.map((marker) => {
          const line = marker && !marker.isDisposed ? marker.line : undefined;
          marker?.dispose();
          return line;
        }),
    };
  }

  dispose(): void {
    this.anchor.dispose();
  }
}

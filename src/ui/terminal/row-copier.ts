import type { Grid } from "../screen/grid.ts";
import { copyLine } from "./cells.ts";
import type { PaneColours } from "./colours.ts";
import type { XtermCore } from "./xterm.ts";

export interface CopyTarget {
  grid: Grid;
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface CopySource {
  /** Buffer line shown in the first row. */
  first: number;
  /** Rows of the terminal: what is below them is blank. */
  rows: number;
  /** Rises when there is something new. */
  version: number;
  colours: PaneColours | null;
}

/** Copies a terminal's rows into a grid, and skips those that are there already. */
export class RowCopier {
  private readonly core: XtermCore;
  private target = "";
  private version = 0;
  private grid: Grid | null = null;
  private rowVersions = new Int32Array(0);

  constructor(core: XtermCore) {
    this.core = core;
  }

  /** Whether the last copy went elsewhere. `offset`: lines above the newest screen. */
  moved({ grid, x, y, w, h }: CopyTarget, offset: number): boolean {
    return grid !== this.grid || this.describe(grid, x, y, w, h, offset) !== this.target;
  }

  /** True when a cell changed. `force`: something else may have been drawn there. */
  copy(target: CopyTarget, source: CopySource, offset: number, force: boolean): boolean {
    const { grid, x, y, w, h } = target;
    const moved = this.moved(target, offset);
    const left = Math.max(0, x);
    const width = Math.min(w, grid.cols - left);
    const height = Math.min(h, grid.rows - y);
    if (moved) this.rowVersions = new Int32Array(Math.max(0, height));
    const all = moved || source.version !== this.version || force;
    const { lines } = this.core.buffers.active;
    let changed = false;
    for (let row = Math.max(0, -y); row < height && width > 0; row++) {
      const before = grid.rowVersions[y + row] as number;
      if (!all && before === this.rowVersions[row]) continue;
      // Below a screen smaller than the rectangle there is nothing, not other lines.
      const line = row < source.rows ? lines.get(source.first + row) : undefined;
      copyLine(this.core, line, grid, left, y + row, width, source.colours);
      const after = grid.rowVersions[y + row] as number;
      if (after !== before) changed = true;
      this.rowVersions[row] = after;
    }
    this.target = this.describe(grid, x, y, w, h, offset);
    this.grid = grid;
    this.version = source.version;
    return changed;
  }

  private describe(grid: Grid, ...numbers: number[]): string {
    return `${numbers},${grid.generation}`;
  }
}

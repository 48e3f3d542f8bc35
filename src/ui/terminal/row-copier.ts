import type { Grid } from "../screen/grid.ts";
import { copyLine } from "./cells.ts";
import type { PaneColours } from "./colours.ts";
import { DirtyRows } from "./dirty-rows.ts";
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
  private readonly dirty: DirtyRows;
  private target: (CopyTarget & { generation: number; offset: number }) | undefined;
  private source: (CopySource & { buffer: unknown }) | undefined;
  private rowVersions = new Int32Array(0);

  constructor(core: XtermCore) {
    this.core = core;
    this.dirty = new DirtyRows(core);
  }

  /** Whether the last copy went elsewhere. `offset`: lines above the newest screen. */
  moved({ grid, x, y, w, h }: CopyTarget, offset: number): boolean {
    const { target } = this;
    return !(
      target?.grid === grid &&
      target.generation === grid.generation &&
      target.offset === offset &&
      target.x === x &&
      target.y === y &&
      target.w === w &&
      target.h === h
    );
  }

  /** Any row may have changed by something else than output. */
  resized(): void {
    this.dirty.addAll();
  }

  /** True when a cell changed. `force`: something else may have been drawn there. */
  copy(target: CopyTarget, source: CopySource, offset: number, force: boolean): boolean {
    const { grid, x, y, w, h } = target;
    const moved = this.moved(target, offset);
    const left = Math.max(0, x);
    const width = Math.min(w, grid.cols - left);
    const height = Math.min(h, grid.rows - y);
    if (moved) this.rowVersions = new Int32Array(Math.max(0, height));
    const all = moved || force || this.differs(source, offset);
    const news = all || source.version !== this.source?.version;
    const buffer = this.core.buffers.active;
    const { lines } = buffer;
    let changed = false;
    for (let row = Math.max(0, -y); row < height && width > 0; row++) {
      const before = grid.rowVersions[y + row] as number;
      const stale = all || (news && this.dirty.has(row)) || before !== this.rowVersions[row];
      if (!stale) continue;
      // Below a screen smaller than the rectangle there is nothing, not other lines.
      const line = row < source.rows ? lines.get(source.first + row) : undefined;
      copyLine(this.core, line, grid, left, y + row, width, source.colours);
      const after = grid.rowVersions[y + row] as number;
      if (after !== before) changed = true;
      this.rowVersions[row] = after;
    }
    if (news) this.dirty.forget();
    this.target = { grid, x, y, w, h, generation: grid.generation, offset };
    this.source = { ...source, buffer };
    return changed;
  }

  /** Whether rows look other than they did although no output has touched them. */
  private differs({ first, rows, version, colours }: CopySource, offset: number): boolean {
    const { source } = this;
    const same =
      source?.buffer === this.core.buffers.active &&
      source.first === first &&
      source.rows === rows &&
      source.colours === colours;
    // History and redefined colours change behind the rows' back.
    return !same || (version !== source.version && (offset > 0 || colours !== null));
  }
}

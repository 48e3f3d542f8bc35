import { ByteWriter } from "./byte-writer.ts";
import {
  BG_LINKED,
  BLANK,
  CELL_WORDS,
  CODE_MASK,
  COMBINED,
  WIDE_TAIL,
  WIDTH_SHIFT,
} from "./cell.ts";
import type { ColourDepth } from "./colour.ts";
import type { Cursor } from "./cursor.ts";
import type { Grid } from "./grid.ts";
import { SgrWriter } from "./sgr.ts";
import { isWidthUncertain } from "./unicode.ts";

export type { ColourDepth } from "./colour.ts";
export type { Cursor } from "./cursor.ts";

export interface PainterOptions {
  /** Default truecolor. */
  depth?: ColourDepth;
}

const SYNC_BEGIN = "\x1b[?2026h";
const SYNC_END = "\x1b[?2026l";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
/** Room in front of a frame for what is decided after it. */
const HEADER = SYNC_BEGIN.length + HIDE_CURSOR.length;
/** Below this a frame reaches the terminal in one piece and the cursor cannot be seen wandering. */
const SMALL_FRAME = 200;
/** Repeating so many unchanged cells is shorter than a cursor movement. */
const REPEAT_GAP = 4;
const MIN_ERASE = 8;

const CURSOR_STYLES = { block: 1, underline: 3, bar: 5 };

/**
 * Turns the difference between a Grid and what the outer terminal shows into bytes. Between frames
 * the outer terminal's attributes are reset and no link is open.
 */
export class Painter {
  private readonly out = new ByteWriter();
  private readonly sgr: SgrWriter;
  private shown = new Int32Array(0);
  private shownLinks = new Int32Array(0);
  private paintedVersions = new Int32Array(0);
  private paintedGrid: Grid | null = null;
  private generation = -1;
  private fresh = true;
  /** Where the outer terminal's cursor is; x is -1 when that is uncertain. */
  private x = -1;
  private y = -1;
  /** The cell whose attributes are the outer terminal's current ones; -1 when they are reset. */
  private styleCell = -1;
  private link = 0;
  private cursorVisible: boolean | null = null;
  private cursorStyle = -1;
  private cursorX = -1;
  private cursorY = -1;

  constructor(options: PainterOptions = {}) {
    this.sgr = new SgrWriter(this.out, options.depth ?? "truecolor");
  }

  /** The outer terminal may show anything now (resize, SIGCONT): the next paint redraws all of it. */
  invalidate(): void {
    this.fresh = true;
  }

  /**
   * The bytes that bring the outer terminal to `grid` and `cursor` (null hides it); empty when it
   * is there already. The buffer is reused: it must be written out before the next call
   * (OuterOutput sees to that).
   */
  paint(grid: Grid, cursor: Cursor | null): Uint8Array {
    const out = this.out;
    out.length = HEADER;
    if (this.fresh || grid !== this.paintedGrid || grid.generation !== this.generation) {
      this.startOver(grid);
    }
    for (let y = 0; y < grid.rows; y++) {
      const version = grid.rowVersions[y] as number;
      if (version === this.paintedVersions[y]) continue;
      this.paintRow(grid, y);
      this.paintedVersions[y] = version;
    }
    this.clearStyle(grid);
    let start = HEADER;
    if (out.length > HEADER) start = this.wrapFrame();
    this.placeCursor(grid, cursor);
    if (start !== HEADER) out.ascii(SYNC_END);
    if (grid.compactTables()) {
      this.shown.set(grid.cells);
      this.shownLinks.set(grid.links);
      this.generation = grid.generation;
    }
    return out.view(start);
  }

  // The header is known only now: a large frame also hides the cursor while it is drawn.
  private wrapFrame(): number {
    const hide = this.out.length > SMALL_FRAME && this.cursorVisible !== false;
    const header = hide ? SYNC_BEGIN + HIDE_CURSOR : SYNC_BEGIN;
    if (hide) this.cursorVisible = false;
    this.out.patch(HEADER - header.length, header);
    this.cursorX = -1;
    return HEADER - header.length;
  }

  private startOver(grid: Grid): void {
    if (this.shown.length !== grid.cells.length) {
      this.shown = new Int32Array(grid.cells.length);
      this.shownLinks = new Int32Array(grid.links.length);
    }
    this.shown.fill(0);
    this.shownLinks.fill(0);
    for (let i = 0; i < this.shown.length; i += CELL_WORDS) this.shown[i] = BLANK;
    this.paintedVersions = new Int32Array(grid.rows).fill(-1);
    this.paintedGrid = grid;
    this.generation = grid.generation;
    this.fresh = false;
    this.out.ascii("\x1b[m\x1b]8;;\x1b\\\x1b[H\x1b[2J");
    this.sgr.assumeReset();
    this.link = 0;
    this.styleCell = -1;
    this.x = 0;
    this.y = 0;
    this.cursorVisible = null;
    this.cursorStyle = -1;
  }

  private paintRow(grid: Grid, y: number): void {
    const { cols, cells } = grid;
    const base = y * cols;
    let first = 0;
    while (first < cols && this.same(grid, base + first)) first++;
    if (first === cols) return;
    let last = cols - 1;
    while (this.same(grid, base + last)) last--;
    for (let x = first; x <= last; ) {
      if (this.same(grid, base + x)) {
        x++;
        continue;
      }
      // Half a wide character is never drawn alone.
      if (x > 0 && cells[(base + x) * CELL_WORDS] === WIDE_TAIL) x--;
      const cell = base + x;
      const blanks = this.blankRun(grid, base, x, last);
      if (blanks >= MIN_ERASE || (blanks > 2 && x + blanks === cols)) {
        this.moveTo(grid, x, y);
        this.clearStyle(grid);
        if (x + blanks === cols) this.out.ascii("\x1b[K");
        else {
          this.out.ascii("\x1b[");
          this.out.number(blanks);
          this.out.byte(88);
        }
        x += blanks;
      } else {
        this.moveTo(grid, x, y);
        x += this.drawCell(grid, cell, x);
      }
    }
    const from = base * CELL_WORDS;
    this.shown.set(cells.subarray(from, from + cols * CELL_WORDS), from);
    this.shownLinks.set(grid.links.subarray(base, base + cols), base);
  }

  private same(grid: Grid, cell: number): boolean {
    const at = cell * CELL_WORDS;
    const a = grid.cells;
    const b = this.shown;
    return (
      a[at] === b[at] &&
      a[at + 1] === b[at + 1] &&
      a[at + 2] === b[at + 2] &&
      a[at + 3] === b[at + 3] &&
      (((a[at + 2] as number) & BG_LINKED) === 0 || grid.links[cell] === this.shownLinks[cell])
    );
  }

  // Unstyled spaces from x on; to the row's end when nothing but they follow.
  private blankRun(grid: Grid, base: number, x: number, last: number): number {
    const cells = grid.cells;
    let end = x;
    while (end < grid.cols) {
      const at = (base + end) * CELL_WORDS;
      if (cells[at] !== BLANK || cells[at + 1] !== 0 || cells[at + 2] !== 0) break;
      end++;
    }
    return end === grid.cols ? end - x : Math.min(end, last + 1) - x;
  }

  private drawCell(grid: Grid, cell: number, x: number): number {
    const at = cell * CELL_WORDS;
    const content = grid.cells[at] as number;
    const bg = grid.cells[at + 2] as number;
    this.setLink(grid, bg & BG_LINKED ? (grid.links[cell] as number) : 0);
    this.sgr.set(grid.cells[at + 1] as number, bg, grid.cells[at + 3] as number);
    this.styleCell = cell;
    const width = Math.max(1, content >>> WIDTH_SHIFT);
    const code = content & CODE_MASK;
    const combined = (content & COMBINED) !== 0;
    if (combined) this.out.utf8(grid.texts.text(code));
    else this.out.codePoint(code);
    this.x = x + width;
    if (combined || isWidthUncertain(code) || this.x >= grid.cols) this.x = -1;
    return width;
  }

  private moveTo(grid: Grid, x: number, y: number): void {
    if (this.y === y && this.x === x) return;
    const gap = x - this.x;
    if (this.y === y && this.x >= 0 && gap > 0) {
      if (gap <= REPEAT_GAP && this.repeat(grid, x, y)) return;
      this.out.ascii("\x1b[");
      if (gap > 1) this.out.number(gap);
      this.out.byte(67);
    } else {
      this.out.ascii("\x1b[");
      this.out.number(y + 1);
      if (x > 0) {
        this.out.byte(59);
        this.out.number(x + 1);
      }
      this.out.byte(72);
    }
    this.x = x;
    this.y = y;
  }

  // Cross a short gap by drawing its unchanged characters, when they look like the last one drawn.
  private repeat(grid: Grid, x: number, y: number): boolean {
    const cells = grid.cells;
    if (this.link !== 0) return false;
    const style = this.styleCell * CELL_WORDS;
    for (let i = this.x; i < x; i++) {
      const at = (y * grid.cols + i) * CELL_WORDS;
      const content = cells[at] as number;
      if (content >>> WIDTH_SHIFT !== 1 || (content & (CODE_MASK | COMBINED)) >= 0x7f) return false;
      for (let word = 1; word < CELL_WORDS; word++) {
        if (cells[at + word] !== (style < 0 ? 0 : cells[style + word])) return false;
      }
    }
    for (let i = this.x; i < x; i++) {
      this.out.byte((cells[(y * grid.cols + i) * CELL_WORDS] as number) & CODE_MASK);
    }
    this.x = x;
    return true;
  }

  private clearStyle(grid: Grid): void {
    this.setLink(grid, 0);
    this.sgr.reset();
    this.styleCell = -1;
  }

  private setLink(grid: Grid, link: number): void {
    if (link === this.link) return;
    this.link = link;
    this.out.ascii("\x1b]8;;");
    if (link !== 0) this.out.utf8(grid.linkTable.text(link));
    this.out.ascii("\x1b\\");
  }

  private placeCursor(grid: Grid, cursor: Cursor | null): void {
    const out = this.out;
    const inside =
      cursor?.visible &&
      cursor.x >= 0 &&
      cursor.y >= 0 &&
      cursor.x < grid.cols &&
      cursor.y < grid.rows;
    if (!cursor || !inside) {
      if (this.cursorVisible !== false) out.ascii(HIDE_CURSOR);
      this.cursorVisible = false;
      return;
    }
    if (this.cursorX !== cursor.x || this.cursorY !== cursor.y) {
      if (this.x !== cursor.x || this.y !== cursor.y) {
        out.ascii(`\x1b[${cursor.y + 1};${cursor.x + 1}H`);
      }
      this.x = cursor.x;
      this.y = cursor.y;
      this.cursorX = cursor.x;
      this.cursorY = cursor.y;
    }
    const style = CURSOR_STYLES[cursor.shape] + (cursor.blink ? 0 : 1);
    if (style !== this.cursorStyle) out.ascii(`\x1b[${style} q`);
    this.cursorStyle = style;
    if (this.cursorVisible !== true) out.ascii(SHOW_CURSOR);
    this.cursorVisible = true;
  }
}

import {
  BG_LINKED,
  BLANK,
  CELL_WORDS,
  type CellStyle,
  CODE_MASK,
  COMBINED,
  WIDE_TAIL,
  WIDTH_SHIFT,
} from "./cell.ts";
import { InternTable } from "./intern.ts";
import { Pen } from "./pen.ts";

/** Strings no cell uses any more are dropped when the tables have grown past this. */
const TABLE_LIMIT = 4096;

/**
 * A screen of cells. Every row has a version that rises only when one of its cells really changed,
 * so that readers (the painter, panes) can skip rows nobody touched.
 */
export class Grid {
  cols = 0;
  rows = 0;
  /** CELL_WORDS words per cell, in rows. */
  cells = new Int32Array(0);
  /** Per cell: id in `linkTable`, 0 for none. */
  links = new Int32Array(0);
  rowVersions = new Int32Array(0);
  /** Text of combined cells, and targets of links. */
  texts = new InternTable();
  linkTable = new InternTable();
  /** Rises when cell words get a new meaning: another size, other table ids. */
  generation = 0;
  private tableLimit = TABLE_LIMIT;

  constructor(cols: number, rows: number) {
    this.resize(cols, rows);
  }

  /** New size; everything becomes blank. */
  resize(cols: number, rows: number): void {
    this.cols = Math.max(1, cols);
    this.rows = Math.max(1, rows);
    this.cells = new Int32Array(this.cols * this.rows * CELL_WORDS);
    this.links = new Int32Array(this.cols * this.rows);
    this.rowVersions = new Int32Array(this.rows);
    for (let i = 0; i < this.cells.length; i += CELL_WORDS) this.cells[i] = BLANK;
    this.generation++;
  }

  /** Blank a rectangle (clipped to the grid). */
  fill(x: number, y: number, w: number, h: number, style: CellStyle = {}): void {
    const left = Math.max(0, x);
    const right = Math.min(this.cols, x + w);
    const bottom = Math.min(this.rows, y + h);
    for (let row = Math.max(0, y); row < bottom; row++) {
      if (left >= right) return;
      this.cutWide(left, row);
      this.cutWide(right, row);
      for (let col = left; col < right; col++) {
        this.put(col, row, BLANK, style.fg ?? 0, style.bg ?? 0, style.ext ?? 0, 0);
      }
    }
  }

  /** Copy a rectangle of another grid; wide characters cut at its edges become spaces. */
  copyFrom(from: Grid, sx: number, sy: number, w: number, h: number, x: number, y: number): void {
    const skipX = Math.max(0, -sx, -x);
    const skipY = Math.max(0, -sy, -y);
    const width = Math.min(w, from.cols - sx, this.cols - x) - skipX;
    const height = Math.min(h, from.rows - sy, this.rows - y);
    if (width <= 0) return;
    for (let row = skipY; row < height; row++) {
      this.copyCells(from, sx + skipX, sy + row, width, x + skipX, y + row);
    }
  }

  /** Draw text on one row, at most `maxWidth` columns; returns the columns used. */
  drawText(
    x: number,
    y: number,
    text: string,
    style: CellStyle = {},
    maxWidth = this.cols,
  ): number {
    const end = Math.min(this.cols, x + maxWidth);
    const pen = new Pen(this, x, y, end);
    pen.write(text, style.fg ?? 0, style.bg ?? 0, style.ext ?? 0, 0);
    pen.finish();
    return Math.max(0, pen.x - x);
  }

  /** Store one cell as it is. The caller keeps the normal form of cell.ts. */
  put(
    x: number,
    y: number,
    content: number,
    fg: number,
    bg: number,
    ext: number,
    link: number,
  ): void {
    const cell = y * this.cols + x;
    const at = cell * CELL_WORDS;
    const cells = this.cells;
    if (
      cells[at] === content &&
      cells[at + 1] === fg &&
      cells[at + 2] === bg &&
      cells[at + 3] === ext &&
      this.links[cell] === link
    ) {
      return;
    }
    cells[at] = content;
    cells[at + 1] = fg;
    cells[at + 2] = bg;
    cells[at + 3] = ext;
    this.links[cell] = link;
    this.rowVersions[y] = (this.rowVersions[y] as number) + 1;
  }

  /** Before something begins at column x: a wide character across this edge becomes two spaces. */
  cutWide(x: number, y: number): void {
    if (x <= 0 || x >= this.cols) return;
    const cell = y * this.cols + x;
    const at = cell * CELL_WORDS;
    if (this.cells[at] !== WIDE_TAIL) return;
    for (let i = x - 1; i <= x; i++) {
      const fg = this.cells[at + 1] as number;
      const bg = this.cells[at + 2] as number;
      this.put(i, y, BLANK, fg, bg, this.cells[at + 3] as number, this.links[cell] as number);
    }
  }

  contentAt(x: number, y: number): number {
    return this.cells[(y * this.cols + x) * CELL_WORDS] as number;
  }

  /** The text of a cell: "" for the second half of a wide character. */
  textAt(x: number, y: number): string {
    const content = this.contentAt(x, y);
    if (content === WIDE_TAIL) return "";
    const code = content & CODE_MASK;
    return content & COMBINED ? this.texts.text(code) : String.fromCodePoint(code);
  }

  /** One row as text, trailing spaces removed. */
  rowText(y: number): string {
    let text = "";
    for (let x = 0; x < this.cols; x++) text += this.textAt(x, y);
    return text.trimEnd();
  }

  /** Forget the strings no cell uses, when there are many; the ids in cells change. */
  compactTables(): boolean {
    if (this.texts.size + this.linkTable.size <= this.tableLimit) return false;
    const texts = new InternTable();
    const linkTable = new InternTable();
    for (let cell = 0; cell < this.links.length; cell++) {
      const at = cell * CELL_WORDS;
      const content = this.cells[at] as number;
      if (content & COMBINED) {
        const id = texts.id(this.texts.text(content & CODE_MASK));
        this.cells[at] = (content & ~CODE_MASK) | id;
      }
      this.links[cell] = linkTable.id(this.linkTable.text(this.links[cell] as number));
    }
    this.texts = texts;
    this.linkTable = linkTable;
    this.tableLimit = Math.max(TABLE_LIMIT, 2 * (texts.size + linkTable.size));
    this.generation++;
    return true;
  }

  private copyCells(from: Grid, sx: number, sy: number, w: number, x: number, y: number): void {
    this.cutWide(x, y);
    this.cutWide(x + w, y);
    for (let i = 0; i < w; i++) {
      const cell = sy * from.cols + sx + i;
      const at = cell * CELL_WORDS;
      let content = from.cells[at] as number;
      const bg = from.cells[at + 2] as number;
      const cut =
        (i === 0 && content === WIDE_TAIL) || (i === w - 1 && content >>> WIDTH_SHIFT === 2);
      if (cut) content = BLANK;
      else if (content & COMBINED && from !== this) {
        content = (content & ~CODE_MASK) | this.texts.id(from.texts.text(content & CODE_MASK));
      }
      let link = 0;
      if (bg & BG_LINKED) {
        link = from.links[cell] as number;
        if (from !== this) link = this.linkTable.id(from.linkTable.text(link));
      }
      this.put(
        x + i,
        y,
        content,
        from.cells[at + 1] as number,
        bg,
        from.cells[at + 3] as number,
        link,
      );
    }
  }
}

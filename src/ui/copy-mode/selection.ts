import type { Snapshot } from "../terminal/snapshot.ts";
import type { CellText, Point } from "./cell-text.ts";
import { clickedWord } from "./motions.ts";

export type SelectionKind = "characters" | "words" | "lines" | "rectangle";

export interface Selection {
  kind: SelectionKind;
  anchor: Point;
}

/** Columns of one row, the last one not included. */
export interface Span {
  from: number;
  to: number;
}

/** A selection from its anchor to the cursor, both included, made to cover whole words or lines. */
export class SelectedRange {
  private readonly snapshot: Snapshot;
  private readonly kind: SelectionKind;
  private readonly start: Point;
  private readonly end: Point;

  constructor(text: CellText, { kind, anchor }: Selection, cursor: Point) {
    this.snapshot = text.snapshot;
    this.kind = kind;
    const forward = before(anchor, cursor);
    let [start, end] = forward ? [anchor, cursor] : [cursor, anchor];
    if (kind === "words") {
      start = clickedWord(text, start)[0];
      end = clickedWord(text, end)[1];
    } else if (kind === "lines") {
      const last = this.snapshot.logicalLine(end.row);
      start = { row: this.snapshot.logicalLine(start.row).row, x: 0 };
      end = { row: last.row + last.rows - 1, x: this.snapshot.cols - 1 };
    } else if (kind === "rectangle") {
      start = { row: start.row, x: Math.min(anchor.x, cursor.x) };
      end = { row: end.row, x: Math.max(anchor.x, cursor.x) };
    }
    this.start = start;
    this.end = end;
  }

  /** What of a row is selected. */
  span(row: number): Span | undefined {
    const { start, end, snapshot } = this;
    if (row < start.row || row > end.row) return undefined;
    const whole = this.kind === "rectangle";
    let from = whole || row === start.row ? start.x : 0;
    let to = whole || row === end.row ? end.x + 1 : snapshot.cols;
    // Half a wide character cannot be selected.
    if (snapshot.isTail(row, from)) from--;
    if (snapshot.isTail(row, to)) to++;
    return { from, to: Math.min(to, snapshot.cols) };
  }

  /** Rows that are one line of text come out as one; spaces at line ends are not text. */
  text(): string {
    const { start, end, snapshot } = this;
    let text = "";
    for (let row = start.row; row <= end.row; row++) {
      const { from, to } = this.span(row)!;
      const goesOn = this.kind !== "rectangle" && row < end.row && snapshot.wraps(row + 1);
      const part = snapshot.textOf(row, from, to, !goesOn);
      text += goesOn ? part : part.trimEnd();
      if (!goesOn && row < end.row) text += "\n";
    }
    return this.kind === "lines" ? `${text}\n` : text;
  }
}

export function before(a: Point, b: Point): boolean {
  return a.row < b.row || (a.row === b.row && a.x <= b.x);
}

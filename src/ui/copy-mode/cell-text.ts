import type { Snapshot } from "../terminal/snapshot.ts";

/** A place in a snapshot. */
export interface Point {
  row: number;
  x: number;
}

/** What a motion by words sees in a cell. */
export type CharacterClass = "space" | "word" | "mark";

/** The characters of a snapshot by place; rows are taken apart when they are first asked for. */
export class CellText {
  readonly snapshot: Snapshot;
  private readonly rows = new Map<number, string[]>();

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot;
  }

  /** "" in the second half of a wide character, a space where nothing is written. */
  at({ row, x }: Point): string {
    return this.row(row)[x] ?? " ";
  }

  classAt(point: Point): CharacterClass {
    const text = this.at(point);
    if (text === "" && point.x > 0) return this.classAt({ row: point.row, x: point.x - 1 });
    if (/^\s/u.test(text)) return "space";
    return /^[\p{L}\p{N}\p{M}_]/u.test(text) ? "word" : "mark";
  }

  /** Columns up to the last character of the row that is no space. */
  end(row: number): number {
    const cells = this.row(row);
    let end = cells.length;
    while (end > 0 && (cells[end - 1] === " " || cells[end - 1] === undefined)) end--;
    return end;
  }

  private row(row: number): string[] {
    const known = this.rows.get(row);
    if (known) return known;
    const columns: number[] = [];
    const text = this.snapshot.textWithColumns(row, columns);
    const cells: string[] = [];
    for (let i = 0; i < text.length; i++) {
      const column = columns[i]!;
      cells[column] = (cells[column] ?? "") + text[i]!;
    }
    for (let x = 0; x < (columns.at(-1) ?? 0); x++) cells[x] ??= "";
    this.rows.set(row, cells);
    return cells;
  }
}

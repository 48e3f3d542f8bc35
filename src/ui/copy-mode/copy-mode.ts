import type { Snapshot } from "../terminal/snapshot.ts";
import { CellText, type Point } from "./cell-text.ts";
import type { CopyCommand } from "./commands.ts";
import { motions } from "./cursor-motions.ts";
import { type Match, SnapshotSearch } from "./search.ts";
import { SelectedRange, type Selection, type SelectionKind, type Span } from "./selection.ts";

/** What is being typed at the bottom of the pane. */
export interface CopyPrompt {
  kind: "search" | "search-back" | "save";
  text: string;
}

/** A frozen picture of a pane in which a cursor moves, searches and selects. */
export class CopyMode {
  cursor: Point;
  /** First row shown. */
  top: number;
  /** Rows shown. */
  height: number;
  prompt: CopyPrompt | undefined;
  message = "";
  snapshot: Snapshot;
  text: CellText;
  private search: SnapshotSearch;
  private selection: Selection | undefined;
  private pattern = "";
  private backward = false;
  private matches: Match[] = [];
  private origin: Point | undefined;

  /** `scrollOffset`: lines above the newest screen that are shown. */
  constructor(snapshot: Snapshot, cursor: Point, scrollOffset = 0) {
    this.snapshot = snapshot;
    this.text = new CellText(snapshot);
    this.search = new SnapshotSearch(snapshot);
    this.height = snapshot.rows;
    this.top = Math.max(0, snapshot.length - snapshot.rows - scrollOffset);
    this.cursor = { row: 0, x: 0 };
    this.moveTo({ row: Math.min(cursor.row, this.top + this.height - 1), x: cursor.x });
  }

  /** Moves, selects or searches; what leaves copy mode or copies is for others to do. */
  run(command: CopyCommand): void {
    this.message = "";
    const moved = motions[command]?.(this);
    if (moved) this.moveTo(moved);
    else if (command === "copy-scroll-up") this.scrollBy(1);
    else if (command === "copy-scroll-down") this.scrollBy(-1);
    else if (command === "copy-begin") this.toggle("characters");
    else if (command === "copy-begin-line") this.toggle("lines");
    else if (command === "copy-rectangle") this.toggleRectangle();
    else if (command === "copy-other-end") this.otherEnd();
    else if (command === "copy-search") this.ask("search");
    else if (command === "copy-search-back") this.ask("search-back");
    else if (command === "copy-search-next") this.nextMatch(this.backward);
    else if (command === "copy-search-previous") this.nextMatch(!this.backward);
  }

  get selected(): SelectedRange | undefined {
    return this.selection && new SelectedRange(this.text, this.selection, this.cursor);
  }

  /** Everything there is, without the empty rows below. */
  allText(): string {
    const last = { row: this.snapshot.length - 1, x: this.snapshot.cols - 1 };
    const all = new SelectedRange(
      this.text,
      { kind: "characters", anchor: { row: 0, x: 0 } },
      last,
    );
    return `${all.text().trimEnd()}\n`;
  }

  /** Begins a selection anew; the cursor is its other end. */
  select(kind: SelectionKind, anchor: Point): void {
    this.selection = { kind, anchor };
  }

  clearSelection(): boolean {
    const had = this.selection !== undefined;
    this.selection = undefined;
    return had;
  }

  moveTo(point: Point): void {
    const { row } = this.inside(point);
    this.cursor = this.inside(point);
    if (row < this.top) this.top = row;
    if (row >= this.top + this.height) this.top = row - this.height + 1;
  }

  /** Lines back (or forward when negative); the cursor stays on the screen. */
  scrollBy(lines: number): void {
    const most = Math.max(0, this.snapshot.length - this.height);
    this.top = Math.max(0, Math.min(most, this.top - lines));
    const row = Math.max(this.top, Math.min(this.top + this.height - 1, this.cursor.row));
    this.moveTo({ row, x: this.cursor.x });
  }

  /** The place under a cell of the pane. */
  pointAt(x: number, y: number): Point {
    return { row: Math.min(this.snapshot.length - 1, this.top + y), x };
  }

  ask(kind: CopyPrompt["kind"], text = ""): void {
    this.prompt = { kind, text };
    this.origin = this.cursor;
  }

  /** What was typed so far; a search follows it at once. */
  typed(text: string): void {
    if (!this.prompt) return;
    this.prompt = { ...this.prompt, text };
    if (this.prompt.kind === "save") return;
    this.moveTo(this.origin ?? this.cursor);
    this.backward = this.prompt.kind === "search-back";
    this.lookFor(text);
    if (this.matches.length > 0) this.nextMatch(this.backward);
  }

  /** Ends the prompt; a search that is given up leaves the cursor where it was. */
  closePrompt(accepted: boolean): void {
    const { prompt } = this;
    this.prompt = undefined;
    if (prompt && prompt.kind !== "save" && (!accepted || prompt.text === "")) {
      if (!accepted) this.lookFor("");
      this.moveTo(this.origin ?? this.cursor);
      this.message = "";
    }
    this.origin = undefined;
  }

  /** Matches in a row, and whether one is where the cursor stands. */
  matchSpans(row: number): (Span & { current: boolean })[] {
    const { cols } = this.snapshot;
    const start = row * cols;
    const at = this.cursor.row * cols + this.cursor.x;
    const spans: (Span & { current: boolean })[] = [];
    for (let i = this.firstMatch(start); i < this.matches.length; i++) {
      const { from, to } = this.matches[i]!;
      if (from >= start + cols) break;
      const span = { from: Math.max(0, from - start), to: Math.min(cols, to - start) };
      spans.push({ ...span, current: at >= from && at < to });
    }
    return spans;
  }

  /** For the pane's title line. */
  get mark(): string {
    const history = this.snapshot.length - this.snapshot.rows;
    const place = `copy ${Math.max(0, history - this.top)}/${history}`;
    if (this.matches.length === 0) return place;
    const at = this.cursor.row * this.snapshot.cols + this.cursor.x;
    const index = this.matches.findIndex(({ from, to }) => at >= from && at < to);
    return `${place} · ${index < 0 ? "-" : index + 1} of ${this.matches.length}`;
  }

  /** A new picture after a resize: `cursor` and `anchor` are where they are in it now. */
  replace(snapshot: Snapshot, cursor: Point | undefined, anchor: Point | undefined): void {
    const old = this.snapshot;
    const below = old.length - this.cursor.row;
    old.dispose();
    this.snapshot = snapshot;
    this.text = new CellText(snapshot);
    this.search = new SnapshotSearch(snapshot);
    this.height = snapshot.rows;
    this.top = Math.max(0, snapshot.length - snapshot.rows);
    this.origin = undefined;
    const start = anchor && this.inside(anchor);
    this.selection = this.selection && start && { ...this.selection, anchor: start };
    this.moveTo(cursor ?? { row: snapshot.length - below, x: 0 });
    this.lookFor(this.pattern);
  }

  /** The ends of the selection that must be found again after a resize. */
  get places(): Point[] {
    return this.selection ? [this.cursor, this.selection.anchor] : [this.cursor];
  }

  private toggle(kind: SelectionKind): void {
    if (this.selection?.kind === kind) this.selection = undefined;
    else this.select(kind, this.selection?.anchor ?? this.cursor);
  }

  private toggleRectangle(): void {
    const kind = this.selection?.kind === "rectangle" ? "characters" : "rectangle";
    this.select(kind, this.selection?.anchor ?? this.cursor);
  }

  private otherEnd(): void {
    if (!this.selection) return;
    const { anchor } = this.selection;
    this.selection = { ...this.selection, anchor: this.cursor };
    this.moveTo(anchor);
  }

  private lookFor(pattern: string): void {
    this.pattern = pattern;
    const { matches, message } = this.search.find(pattern);
    this.matches = matches;
    this.message = message ?? "";
  }

  /** The nearest place there is. */
  private inside(point: Point): Point {
    const { snapshot } = this;
    const row = Math.max(0, Math.min(snapshot.length - 1, point.row));
    const x = Math.max(0, Math.min(snapshot.cols - 1, point.x));
    return { row, x: snapshot.isTail(row, x) ? x - 1 : x };
  }

  /** Beyond the last match comes the first again. */
  private nextMatch(backward: boolean): void {
    const { matches } = this;
    const { cols } = this.snapshot;
    const at = this.cursor.row * cols + this.cursor.x;
    const after = this.firstMatch(at + 1);
    const behind = matches.findLastIndex(({ from }) => from < at);
    const index = backward
      ? behind
      : matches.findIndex((match, i) => i >= after && match.from > at);
    const match = matches[index] ?? (backward ? matches.at(-1) : matches[0]);
    if (!match) return;
    if (index < 0 && this.message === "")
      this.message = backward ? "from the end again" : "from the start again";
    this.moveTo({ row: Math.floor(match.from / cols), x: match.from % cols });
  }

  /** Index of the first match that ends behind a cell. */
  private firstMatch(cell: number): number {
    let low = 0;
    let high = this.matches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.matches[middle]!.to <= cell) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

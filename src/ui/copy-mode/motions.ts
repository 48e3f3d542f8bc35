import type { CellText, CharacterClass, Point } from "./cell-text.ts";

type ClassOf = (point: Point) => CharacterClass | "edge";

/** The next cell in reading order; the end of a line that goes on below is no break. */
function step(text: CellText, { row, x }: Point, by: 1 | -1): Point | undefined {
  const { snapshot } = text;
  const next = x + by;
  if (next >= 0 && next < snapshot.cols) return { row, x: next };
  const other = row + by;
  if (other < 0 || other >= snapshot.length) return undefined;
  return { row: other, x: by > 0 ? 0 : snapshot.cols - 1 };
}

/** `big`: everything between spaces is one word. */
function classes(text: CellText, big: boolean): ClassOf {
  return (point) => {
    const found = text.classAt(point);
    return big && found === "mark" ? "word" : found;
  };
}

/** Whether a new line of text, not the rest of one, begins between two neighbouring cells. */
function breaks(text: CellText, from: Point, to: Point): boolean {
  return from.row !== to.row && !text.snapshot.wraps(Math.max(from.row, to.row));
}

/** First character of the next word; the last place there is when no word follows. */
export function nextWord(text: CellText, from: Point, big = false): Point {
  const classOf = classes(text, big);
  let at = from;
  let inWord = classOf(at) !== "space";
  for (;;) {
    const next = step(text, at, 1);
    if (!next) return lastWritten(text, at);
    const changed = breaks(text, at, next) || classOf(next) !== classOf(at);
    if (changed) inWord = false;
    if (!inWord && classOf(next) !== "space") return next;
    at = next;
  }
}

/** First character of this word, or of the one before. */
export function previousWord(text: CellText, from: Point, big = false): Point {
  const classOf = classes(text, big);
  let at = from;
  for (;;) {
    const next = step(text, at, -1);
    if (!next) return { row: 0, x: 0 };
    at = next;
    if (classOf(at) === "space") continue;
    const before = step(text, at, -1);
    if (!before || breaks(text, before, at) || classOf(before) !== classOf(at)) return at;
  }
}

/** Last character of this word, or of the next one. */
export function wordEnd(text: CellText, from: Point, big = false): Point {
  const classOf = classes(text, big);
  let at = from;
  for (;;) {
    const next = step(text, at, 1);
    if (!next) return lastWritten(text, at);
    at = next;
    if (classOf(at) === "space") continue;
    const after = step(text, at, 1);
    if (!after || breaks(text, at, after) || classOf(after) !== classOf(at)) return at;
  }
}

/** The next row without text in a direction, or the last row there is. */
export function emptyRow(text: CellText, row: number, by: 1 | -1): number {
  const last = text.snapshot.length - 1;
  let at = row;
  while (at + by >= 0 && at + by <= last && text.end(at) === 0) at += by;
  while (at + by >= 0 && at + by <= last) {
    at += by;
    if (text.end(at) === 0) return at;
  }
  return at;
}

/** First and last cell of what a double click means: a word, a path, an address. */
export function clickedWord(text: CellText, at: Point): [Point, Point] {
  const joined = (point: Point): boolean => !/^[\s"'`()[\]{}<>|,;]/u.test(text.at(point));
  if (!joined(at)) return [at, at];
  const reach = (by: 1 | -1): Point => {
    let end = at;
    for (;;) {
      const next = step(text, end, by);
      if (!next || breaks(text, end, next) || !joined(next)) return end;
      end = next;
    }
  };
  return [reach(-1), reach(1)];
}

function lastWritten(text: CellText, { row }: Point): Point {
  return { row, x: Math.max(0, text.end(row) - 1) };
}

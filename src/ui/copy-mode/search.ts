import { Script } from "node:vm";
import type { LogicalLine, Snapshot } from "../terminal/snapshot.ts";

/** Enough to show and to walk through. */
const MATCH_LIMIT = 10_000;
/** A pattern can take for ever on the wrong line: then there is no answer. */
const TIME_LIMIT_MS = 400;

/** Cells counted from the snapshot's first, `to` not included. */
export interface Match {
  from: number;
  to: number;
}

export interface SearchResult {
  matches: Match[];
  /** Why there are none, or that they are not what was asked for. */
  message?: string;
}

// Runs apart from ours because only a script of its own can be stopped in the middle.
const scan = new Script(`(() => {
  const found = [];
  const expression = new RegExp(pattern, flags);
  for (let line = 0; line < lines.length && found.length < limit; line++) {
    expression.lastIndex = 0;
    for (let match; (match = expression.exec(lines[line])) && found.length < limit;) {
      if (match[0].length === 0) expression.lastIndex++;
      else found.push([line, match.index, match.index + match[0].length]);
    }
  }
  return found;
})()`);

/** Finds a regular expression in a snapshot, across the ends of rows that are one line of text. */
export class SnapshotSearch {
  private readonly snapshot: Snapshot;
  private lines: LogicalLine[] | undefined;

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot;
  }

  /** Small letters find both cases; what is no expression is looked for as it stands. */
  find(pattern: string): SearchResult {
    if (pattern === "") return { matches: [] };
    const lines = this.logicalLines();
    const fault = expressionFault(pattern);
    const values = {
      lines: lines.map(({ text }) => text),
      pattern: fault !== undefined ? pattern.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&") : pattern,
      flags: /\p{Lu}/u.test(pattern) ? "gu" : "giu",
      limit: MATCH_LIMIT,
    };
    let found: [line: number, start: number, end: number][];
    try {
      found = scan.runInNewContext(values, { timeout: TIME_LIMIT_MS });
    } catch {
      return { matches: [], message: "this pattern takes too long" };
    }
    const matches = found.map(([line, start, end]) => this.place(lines[line]!, start, end));
    const messages = [
      ...(fault !== undefined ? [`no regular expression (${fault}): taken as it stands`] : []),
      ...(matches.length === 0 ? ["not found"] : []),
    ];
    return messages.length === 0 ? { matches } : { matches, message: messages.join("; ") };
  }

  private place({ row, cells }: LogicalLine, start: number, end: number): Match {
    const first = row * this.snapshot.cols;
    const last = cells[end - 1]!;
    const next = cells[end];
    return { from: first + cells[start]!, to: first + Math.max(last + 1, next ?? 0) };
  }

  private logicalLines(): LogicalLine[] {
    if (this.lines) return this.lines;
    this.lines = [];
    for (let row = 0; row < this.snapshot.length; ) {
      const line = this.snapshot.logicalLine(row);
      this.lines.push(line);
      row += line.rows;
    }
    return this.lines;
  }
}

/** What is wrong with an expression, in the engine's words; undefined when nothing is. */
function expressionFault(pattern: string): string | undefined {
  try {
    new RegExp(pattern, "u");
    return undefined;
  } catch (error) {
    // "Invalid regular expression: /(/u: Unterminated group"
    return (error as Error).message.split(": ").at(-1)!.toLowerCase();
  }
}

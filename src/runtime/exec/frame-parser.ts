import { ExecError } from "../errors.ts";
import { printable } from "../printable.ts";

/** Which bytes a data frame carries: a session's past, standard output, standard error. */
export type DataKind = "B" | "O" | "E";

/** What the agent says, in its order. */
export interface FrameSink {
  /** The command runs, or the session was found. */
  started?(pid: number): void;
  /** The size that the replay which follows was drawn at. */
  size?(cols: number, rows: number): void;
  /** A part of a frame, one frame, or several in a row of the same kind. */
  data(kind: DataKind, bytes: Buffer): void;
  /** Last: the command ended. */
  exit(code: number): void;
  /** Last: the request was refused. */
  refused(message: string): void;
}

const MAX_PAYLOAD = 65_536;
const MAX_LINE = 1024;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const ZERO = 0x30;
const DATA_KINDS: Record<number, DataKind | undefined> = { 66: "B", 69: "E", 79: "O" };

/**
 * Parses the agent's frames from chunks cut anywhere. Takes any bytes: what is no frame throws
 * EXEC_PROTOCOL, and never more than one header line is kept.
 *
 * Payload is handed on without a copy and as it comes. A PTY's flood arrives as many small frames
 * per chunk: their payloads are moved together inside the chunk, which therefore must be the
 * parser's own, because one large piece is far cheaper for everyone downstream than many small.
 */
export class FrameParser {
  private readonly sink: FrameSink;
  /** A header line that was cut by the end of a chunk. */
  private line = "";
  private kind: DataKind = "O";
  private payloadLeft = 0;
  /** The last frame has been seen. */
  done = false;

  constructor(sink: FrameSink) {
    this.sink = sink;
  }

  push(chunk: Buffer): void {
    let at = 0;
    // The run of payload bytes [runStart, runEnd) has been collected but not handed on yet.
    let runStart = 0;
    let runEnd = 0;
    let runKind = this.kind;
    const flush = () => {
      if (runEnd > runStart) this.sink.data(runKind, chunk.subarray(runStart, runEnd));
      runStart = runEnd;
    };
    while (at < chunk.length && !this.done) {
      if (this.payloadLeft > 0) {
        const end = Math.min(chunk.length, at + this.payloadLeft);
        if (runEnd > runStart && runKind === this.kind) {
          chunk.copyWithin(runEnd, at, end);
          runEnd += end - at;
        } else {
          flush();
          runStart = at;
          runEnd = end;
          runKind = this.kind;
        }
        this.payloadLeft -= end - at;
        at = end;
        continue;
      }
      if (this.line === "") {
        const next = this.readDataHeader(chunk, at);
        if (next > 0) {
          at = next;
          continue;
        }
      }
      const newline = chunk.indexOf(NEWLINE, at);
      const end = newline === -1 ? chunk.length : newline;
      if (this.line.length + end - at > MAX_LINE) throw malformed("a header has no end");
      this.line += chunk.toString("latin1", at, end);
      if (newline === -1) break;
      at = newline + 1;
      // The line is still bytes in a string: only a refusal's message can hold more than ASCII.
      const line = this.line;
      this.line = "";
      if (!this.beginData(line)) {
        flush();
        this.finishLine(line);
      }
    }
    flush();
  }

  /**
   * The hot path: a data header that lies whole in the chunk, read without making a string of it.
   * Returns where its payload begins, or 0 for anything else, errors included.
   */
  private readDataHeader(chunk: Buffer, start: number): number {
    const kind = DATA_KINDS[chunk[start]!];
    if (kind === undefined || chunk[start + 1] !== SPACE) return 0;
    let length = 0;
    let at = start + 2;
    for (; length <= MAX_PAYLOAD; at++) {
      const digit = chunk[at]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      length = length * 10 + digit;
    }
    if (chunk[at] !== NEWLINE || at === start + 2 || length > MAX_PAYLOAD) return 0;
    this.kind = kind;
    this.payloadLeft = length;
    return at + 1;
  }

  private beginData(line: string): boolean {
    const kind = line[0];
    if (kind !== "O" && kind !== "E" && kind !== "B") return false;
    const [length] = numbers(line, 1);
    if (length! > MAX_PAYLOAD) throw malformed(`a frame of ${length} bytes`);
    this.kind = kind;
    this.payloadLeft = length!;
    return true;
  }

  private finishLine(line: string): void {
    switch (line[0]) {
      case "A":
        this.sink.started?.(numbers(line, 1)[0]!);
        return;
      case "W": {
        const [cols, rows] = numbers(line, 2);
        this.sink.size?.(cols!, rows!);
        return;
      }
      case "X":
        this.done = true;
        this.sink.exit(numbers(line, 1)[0]!);
        return;
      case "!":
        this.done = true;
        this.sink.refused(
          printable(Buffer.from(line.slice(1), "latin1").toString("utf8")).trimStart(),
        );
        return;
      default:
        throw malformed(`an unknown frame ${JSON.stringify(line.slice(0, 20))}`);
    }
  }
}

const SHAPES = [/^. (\d{1,10})$/, /^. (\d{1,10}) (\d{1,10})$/] as const;

function numbers(line: string, count: 1 | 2): number[] {
  const match = SHAPES[count - 1]!.exec(line);
  if (match === null) throw malformed(`a bad header ${JSON.stringify(line.slice(0, 40))}`);
  return match.slice(1).map(Number);
}

function malformed(what: string): ExecError {
  return new ExecError("EXEC_PROTOCOL", `the guest's agent sent ${what}`);
}

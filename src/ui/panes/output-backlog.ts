import type { ParseTurns, WaitingOutput } from "./parse-turns.ts";

/** A piece is parsed in a fraction of a millisecond. */
const pieceBytes = 4096;
/** Above this the session is not read on, until what waits has become less than the second. */
const limitBytes = 65_536;
const resumeBytes = 16_384;

export interface OutputBacklogOptions {
  turns: ParseTurns;
  /** Whether the user looks for this output: it is parsed as it comes. */
  first(): boolean;
  parse(bytes: Buffer): void;
  /** The session's output is not, or again, to be read. */
  pause(): void;
  resume(): void;
}

/** A session's output between its arrival and its turn to be parsed: bounded, in order, whole. */
export class OutputBacklog implements WaitingOutput {
  private readonly options: OutputBacklogOptions;
  private readonly chunks: Buffer[] = [];
  private bytes = 0;
  private paused = false;

  constructor(options: OutputBacklogOptions) {
    this.options = options;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    const { turns } = this.options;
    if (this.first()) turns.now(this);
    else turns.later(this);
    if (this.bytes > limitBytes && !this.paused) {
      this.paused = true;
      this.options.pause();
    }
  }

  first(): boolean {
    return this.options.first();
  }

  parsePiece(): boolean {
    const [chunk] = this.chunks;
    if (!chunk) return false;
    const piece = chunk.subarray(0, pieceBytes);
    // Taken out before it is parsed: what it leads to may flush the rest.
    if (piece.length === chunk.length) this.chunks.shift();
    else this.chunks[0] = chunk.subarray(pieceBytes);
    this.bytes -= piece.length;
    this.options.parse(piece);
    if (this.paused && this.bytes <= resumeBytes) {
      this.paused = false;
      this.options.resume();
    }
    return this.bytes > 0;
  }

  /** Parses everything now. */
  flush(): void {
    this.options.turns.remove(this);
    while (this.parsePiece());
  }

  /** Nobody wants the rest. */
  clear(): void {
    this.options.turns.remove(this);
    this.chunks.length = 0;
    this.bytes = 0;
  }
}

import { OnceTimer } from "../once-timer.ts";

/** Whoever types does not notice having waited for so long. */
const turnMs = 1;

/** An answer to a key is looked for so often, and the processor is left to whoever gives it. */
const restMs = 1;

/** Output that waits to be parsed. */
export interface WaitingOutput {
  /** Parses a piece, a fraction of a turn; false when nothing is left. */
  parsePiece(): boolean;
  /** Whether the user looks for it first. */
  first(): boolean;
}

export interface ParseTurnsOptions {
  /** A frame is about to be drawn. */
  frameDue(): boolean;
  /** A program is about to answer a key. */
  answerDue(): boolean;
}

/**
 * Panes whose output has piled up parse it by turns. Between two turns keys are read, and the answer
 * to a key comes and is drawn before anything else is parsed.
 */
export class ParseTurns {
  /** In the order of their turns. */
  private readonly waiting = new Set<WaitingOutput>();
  private readonly options: ParseTurnsOptions;
  private immediate: NodeJS.Immediate | undefined;
  private readonly rest = new OnceTimer(() => this.run());

  constructor(options: ParseTurnsOptions) {
    this.options = options;
  }

  /** What fits into a turn is parsed at once, unless it waits already; the rest by turns. */
  now(output: WaitingOutput): void {
    if (!this.waiting.has(output) && this.turn(output)) this.later(output);
  }

  later(output: WaitingOutput): void {
    this.waiting.add(output);
    this.goOn();
  }

  remove(output: WaitingOutput): void {
    this.waiting.delete(output);
  }

  private run(): void {
    this.immediate = undefined;
    this.rest.stop();
    const next = this.options.frameDue() ? undefined : this.next();
    if (next) {
      this.waiting.delete(next);
      if (this.turn(next)) this.waiting.add(next);
    }
    if (this.waiting.size > 0) this.goOn();
  }

  private goOn(): void {
    if (!this.options.frameDue() && this.next() === undefined) this.rest.start(restMs);
    else this.immediate ??= setImmediate(() => this.run());
  }

  /** Whose turn it is: while an answer is due nobody's but of who may give it. */
  private next(): WaitingOutput | undefined {
    const answerDue = this.options.answerDue();
    for (const output of this.waiting) if (!answerDue || output.first()) return output;
    return undefined;
  }

  /** True when something is left. */
  private turn(output: WaitingOutput): boolean {
    const end = performance.now() + turnMs;
    let more = true;
    while (more && performance.now() < end) more = output.parsePiece();
    return more;
  }
}

/** Whoever types does not notice having waited for so long. */
const turnMs = 1;

/** Output that waits to be parsed. */
export interface WaitingOutput {
  /** Parses a piece, a fraction of a turn; false when nothing is left. */
  parsePiece(): boolean;
}

/**
 * Panes whose output has piled up parse it by turns. Between two turns keys are read, and the answer
 * to a key is drawn before anything else is parsed.
 */
export class ParseTurns {
  /** In the order of their turns. */
  private readonly waiting = new Set<WaitingOutput>();
  private readonly frameDue: () => boolean;
  private immediate: NodeJS.Immediate | undefined;

  constructor(frameDue: () => boolean) {
    this.frameDue = frameDue;
  }

  /** What fits into a turn is parsed at once, unless it waits already; the rest by turns. */
  now(output: WaitingOutput): void {
    if (!this.waiting.has(output) && this.turn(output)) this.later(output);
  }

  later(output: WaitingOutput): void {
    this.waiting.add(output);
    this.immediate ??= setImmediate(() => this.run());
  }

  remove(output: WaitingOutput): void {
    this.waiting.delete(output);
  }

  private run(): void {
    this.immediate = undefined;
    const [next] = this.waiting;
    if (next === undefined) return;
    if (!this.frameDue()) {
      this.waiting.delete(next);
      if (this.turn(next)) this.waiting.add(next);
    }
    if (this.waiting.size > 0) this.immediate ??= setImmediate(() => this.run());
  }

  /** True when something is left. */
  private turn(output: WaitingOutput): boolean {
    const end = performance.now() + turnMs;
    let more = true;
    while (more && performance.now() < end) more = output.parsePiece();
    return more;
  }
}

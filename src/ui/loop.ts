/** Frames other than an answer to a key come no faster than this. */
const frameMs = 16;
/** Most programs answer a key sooner; what else there is to do waits for so long. */
const promptMs = 5;
/** A program may answer a key in several pieces for so long. */
const answerMs = 100;
/** Pieces of an answer after its first come no faster than this. */
const pieceMs = 4;
/** Drawing takes no more than an eighth of the time, however many panes there are. */
const restFactor = 8;

/**
 * Decides when to draw: at once after a pause or when it answers a key, else every 16 ms while
 * there is something new. Without changes no timer runs.
 */
export class FrameLoop {
  private readonly draw: () => void;
  private timer: NodeJS.Timeout | undefined;
  private timerDue = 0;
  private immediate: NodeJS.Immediate | undefined;
  private drawnAt = Number.NEGATIVE_INFINITY;
  private drawMs = 0;
  private unanswered = false;
  private expectedAt = Number.NEGATIVE_INFINITY;
  private stopped = false;

  constructor(draw: () => void) {
    this.draw = draw;
  }

  /** A frame is drawn before anything else is done. */
  get urgent(): boolean {
    return this.immediate !== undefined;
  }

  /** A program is about to answer a key. */
  get awaiting(): boolean {
    return this.unanswered && performance.now() < this.expectedAt + promptMs;
  }

  /** Something changed. */
  soon(gapMs = frameMs): void {
    if (this.stopped || this.immediate) return;
    const now = performance.now();
    const due = this.drawnAt + Math.max(gapMs, restFactor * this.drawMs);
    if (due <= now) {
      this.now();
      return;
    }
    if (this.timer && this.timerDue <= due) return;
    clearTimeout(this.timer);
    this.timerDue = due;
    this.timer = setTimeout(() => this.run(), due - now);
  }

  /** Something changed that the user waits for: what else has arrived by now is drawn with it. */
  now(): void {
    if (this.stopped || this.immediate) return;
    this.immediate = setImmediate(() => this.run());
  }

  /** The user did something that a program will answer, whatever is drawn until then. */
  expectAnswer(): void {
    this.unanswered = true;
    this.expectedAt = performance.now();
  }

  /** Something changed where answers are expected. */
  answered(): void {
    if (this.unanswered) this.now();
    else this.soon(performance.now() < this.expectedAt + answerMs ? pieceMs : frameMs);
    this.unanswered = false;
  }

  stop(): void {
    this.stopped = true;
    this.clear();
  }

  start(): void {
    this.stopped = false;
  }

  private run(): void {
    this.clear();
    this.drawnAt = performance.now();
    this.draw();
    this.drawMs = performance.now() - this.drawnAt;
  }

  private clear(): void {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.timer = undefined;
    this.immediate = undefined;
  }
}

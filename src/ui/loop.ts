/** Frames other than an answer to a key come no faster than this. */
const frameMs = 16;

/**
 * Decides when to draw: at once after a pause or when it answers a key, else every 16 ms while
 * there is something new. Without changes no timer runs.
 */
export class FrameLoop {
  private readonly draw: () => void;
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  private drawnAt = 0;
  private stopped = false;

  constructor(draw: () => void) {
    this.draw = draw;
  }

  /** Something changed. */
  soon(): void {
    if (this.stopped || this.timer || this.immediate) return;
    const wait = this.drawnAt + frameMs - performance.now();
    if (wait <= 0) this.now();
    else this.timer = setTimeout(() => this.run(), wait);
  }

  /** Something changed that the user waits for: what else has arrived by now is drawn with it. */
  now(): void {
    if (this.stopped || this.immediate) return;
    this.immediate = setImmediate(() => this.run());
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
  }

  private clear(): void {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.timer = undefined;
    this.immediate = undefined;
  }
}

/** A timer of which there is at most one at a time. */
export class OnceTimer {
  private timer: NodeJS.Timeout | undefined;
  private readonly run: () => void;

  constructor(run: () => void) {
    this.run = run;
  }

  /** Starts it unless it is running. */
  start(ms: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.run();
    }, ms);
  }

  /** Starts it anew. */
  restart(ms: number): void {
    this.stop();
    this.start(ms);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

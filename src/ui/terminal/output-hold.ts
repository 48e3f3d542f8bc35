/** A program that dies while it holds its output must not freeze its pane. */
const HOLD_LIMIT_MS = 150;

/** Synchronized output (DEC 2026): a picture is not shown before its program has finished it. */
export class OutputHold {
  private readonly onExpire: () => void;
  private timer: NodeJS.Timeout | null = null;
  private expired = false;

  constructor(onExpire: () => void) {
    this.onExpire = onExpire;
  }

  get held(): boolean {
    return this.timer !== null;
  }

  /** To be told after every write whether the mode is set. */
  update(wanted: boolean): void {
    if (!wanted) {
      this.clear();
      this.expired = false;
    } else if (!this.held && !this.expired) {
      this.timer = setTimeout(() => this.expire(), HOLD_LIMIT_MS);
      this.timer.unref();
    }
  }

  clear(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }

  private expire(): void {
    this.timer = null;
    this.expired = true;
    this.onExpire();
  }
}

import { type IPty, spawn } from "node-pty";

/**
 * The user's terminal, from the outside: starts a program on a PTY, types keys, and says when text
 * becomes visible in what the program draws. A marker counts as seen when all its characters have
 * been drawn since `expect()`, in any order, so that a program that skips unchanged cells is
 * measured fairly; hence markers are characters that occur nowhere else.
 */
export class OuterTerminal {
  bytes = 0;
  private readonly pty: IPty;
  private wanted = new Set<string>();
  private tail: Buffer = Buffer.alloc(0);
  private seen: ((at: number) => void) | undefined;
  readonly exited: Promise<void>;

  constructor(
    command: string,
    args: string[],
    cols: number,
    rows: number,
    env: Record<string, string>,
  ) {
    this.pty = spawn(command, args, { cols, rows, name: "xterm-256color", env, encoding: null });
    this.pty.onData((data) => this.drawn(data as unknown as Buffer));
    this.exited = new Promise((resolve) => this.pty.onExit(() => resolve()));
  }

  get pid(): number {
    return this.pty.pid;
  }

  private drawn(chunk: Buffer): void {
    const now = performance.now();
    this.bytes += chunk.length;
    const text = Buffer.concat([this.tail, chunk]);
    this.answer(text);
    for (const character of this.wanted) {
      if (text.includes(character)) this.wanted.delete(character);
    }
    if (this.wanted.size === 0 && this.seen) {
      const seen = this.seen;
      this.seen = undefined;
      seen(now);
    }
    this.tail = text.subarray(-8);
  }

  /** Programs may wait for a terminal's answer to a primary device attributes query. */
  private answer(text: Buffer): void {
    if (text.indexOf("\x1b[c", this.tail.length) >= 0) this.type("\x1b[?62;22c");
  }

  type(keys: string): void {
    this.pty.write(keys);
  }

  resize(cols: number, rows: number): void {
    this.pty.resize(cols, rows);
  }

  /** Resolves with the time at which every character of `marker` had been drawn. */
  expect(marker: string, timeoutMs: number): Promise<number> {
    this.wanted = new Set(marker);
    this.tail = Buffer.alloc(0);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.seen = undefined;
        reject(new Error(`not drawn within ${timeoutMs} ms: ${[...this.wanted].join("")}`));
      }, timeoutMs);
      this.seen = (at) => {
        clearTimeout(timer);
        resolve(at);
      };
    });
  }

  /** Wait until nothing has been drawn for `quietMs`. */
  async settle(quietMs = 250, limitMs = 5000): Promise<void> {
    const end = performance.now() + limitMs;
    let before = -1;
    while (before !== this.bytes && performance.now() < end) {
      before = this.bytes;
      await new Promise((resolve) => setTimeout(resolve, quietMs));
    }
  }

  /** Stop reading, as a terminal does that hangs. */
  pause(): void {
    this.pty.pause();
  }

  resume(): void {
    this.pty.resume();
  }

  kill(): void {
    this.pty.kill("SIGKILL");
  }
}

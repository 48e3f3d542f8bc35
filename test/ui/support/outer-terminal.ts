import xterm from "@xterm/headless";
import { type IPty, spawn } from "node-pty";

/** The terminal a user sits at: a real PTY whose screen is read through a terminal emulator. */
export class OuterTerminal {
  readonly screen: InstanceType<typeof xterm.Terminal>;
  /** Everything that was ever written to it. */
  raw = "";
  private readonly pty: IPty;
  private readonly exit: Promise<number>;

  constructor(
    command: string,
    env: Record<string, string>,
    cols: number,
    rows: number,
    shell = "/bin/sh",
  ) {
    this.screen = new xterm.Terminal({ cols, rows, allowProposedApi: true });
    const clean = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(NO_COLOR|COLORTERM|CI)$/.test(name)),
    );
    this.pty = spawn(shell, ["-c", command], {
      cols,
      rows,
      name: "xterm-256color",
      env: { ...clean, ...env },
    });
    this.pty.onData((data) => {
      this.raw += data;
      this.screen.write(data);
    });
    this.exit = new Promise((resolve) => this.pty.onExit(({ exitCode }) => resolve(exitCode)));
  }

  get pid(): number {
    return this.pty.pid;
  }

  /** The screen's lines, trailing spaces removed. */
  lines(): string[] {
    const { active } = this.screen.buffer;
    return Array.from({ length: this.screen.rows }, (_, row) =>
      (active.getLine(active.viewportY + row)?.translateToString(true) ?? "").trimEnd(),
    );
  }

  text(): string {
    return this.lines().join("\n");
  }

  /** The text inside one rectangle. */
  region(x: number, y: number, width: number, height: number): string {
    const { active } = this.screen.buffer;
    return Array.from({ length: height }, (_, row) =>
      (
        active.getLine(active.viewportY + y + row)?.translateToString(false, x, x + width) ?? ""
      ).trimEnd(),
    ).join("\n");
  }

  get alternateScreen(): boolean {
    return this.screen.buffer.active.type === "alternate";
  }

  /** Of two opposite sequences, whether the first was sent last. */
  lastIs(on: string, off: string): boolean {
    return this.raw.lastIndexOf(on) > this.raw.lastIndexOf(off);
  }

  /** Keys as a user types them: one after the other. */
  async type(...keys: string[]): Promise<void> {
    for (const key of keys) {
      this.pty.write(key);
      await new Promise((resolve) => setTimeout(resolve, 8));
    }
  }

  resize(cols: number, rows: number): void {
    this.screen.resize(cols, rows);
    this.pty.resize(cols, rows);
  }

  /** Reads nothing more of what is written to it, as behind a connection that stands still. */
  stall(): void {
    this.pty.pause();
  }

  /** Reads again. */
  goOn(): void {
    this.pty.resume();
  }

  kill(signal: string): void {
    this.pty.kill(signal);
  }

  /** Waits until the screen is as it should be; the error shows what it was instead. */
  async until(what: string | RegExp | (() => boolean), timeoutMs = 60_000): Promise<void> {
    const met = (): boolean =>
      typeof what === "function"
        ? what()
        : typeof what === "string"
          ? this.text().includes(what)
          : what.test(this.text());
    const deadline = Date.now() + timeoutMs;
    while (!met()) {
      if (Date.now() > deadline) throw new Error(`never came: ${what}\n${this.text()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  exitCode(): Promise<number> {
    return this.exit;
  }
}

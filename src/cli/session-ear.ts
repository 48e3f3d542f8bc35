import type { AlertKind } from "../ui/attention/alert.ts";
import { PaneWatch } from "../ui/attention/pane-watch.ts";
import { PaneTerminal } from "../ui/terminal/pane-terminal.ts";

/** A program that rings without end is told of once in a while. */
const bellEveryMs = 5000;

export interface EarNews {
  kind: "bell" | "notice" | "prompt" | "silence" | "end";
  /** Printable; a few words. */
  text: string;
}

export interface SessionEarOptions {
  /** The session's own size. */
  cols: number;
  rows: number;
  /** ms without output after a stretch of work; 0 for never. */
  silenceMs: number;
  tell(news: EarNews): void;
}

/** Makes news of what one session writes. */
export class SessionEar {
  private readonly options: SessionEarOptions;
  private readonly terminal: PaneTerminal;
  private readonly watch: PaneWatch;
  private rangAt = Number.NEGATIVE_INFINITY;
  private commandEnd: { code: number | undefined } | undefined;
  private closed = false;

  constructor(options: SessionEarOptions) {
    this.options = options;
    this.terminal = new PaneTerminal({
      cols: options.cols,
      rows: options.rows,
      scrollback: 0,
      onBell: () => this.bell(),
      onRequest: (request) => {
        if (request.kind !== "notify") return;
        const words = [request.title, request.body].filter(Boolean).join(": ");
        options.tell({ kind: "notice", text: `notifies: ${words}` });
      },
    });
    this.watch = new PaneWatch({
      silenceMs: options.silenceMs,
      onAlert: (kind, exitCode) => this.alert(kind, exitCode),
    });
  }

  get waits(): boolean {
    return this.terminal.shell.at === "prompt";
  }

  replay(replay: Parameters<PaneTerminal["replay"]>[0]): void {
    this.terminal.replay(replay);
    this.watch.began(this.terminal.shell);
  }

  hear(bytes: Buffer): void {
    if (this.closed) return;
    const waited = this.waits;
    this.commandEnd = undefined;
    this.terminal.write(bytes);
    this.watch.output(this.terminal.shell, performance.now());
    const end = this.commandEnd as { code: number | undefined } | undefined;
    if (end) {
      const how = end.code ? `failed with status ${end.code}` : "has ended";
      const then = this.waits ? "; the shell waits for input" : "";
      this.options.tell({ kind: "prompt", text: `the command ${how}${then}` });
    } else if (this.waits && !waited) {
      this.options.tell({ kind: "prompt", text: "the shell waits for input" });
    }
  }

  ended(code: number | null): void {
    const how = code === null ? "has ended" : `has ended with status ${code}`;
    this.options.tell({ kind: "end", text: `the shell ${how}` });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.watch.stop();
    this.terminal.dispose();
  }

  private bell(): void {
    const now = performance.now();
    if (now - this.rangAt < bellEveryMs) return;
    this.rangAt = now;
    this.options.tell({ kind: "bell", text: "the bell rings" });
  }

  private alert(kind: AlertKind, code?: number): void {
    if (kind === "finished" || kind === "failed") this.commandEnd = { code };
    if (kind === "silence") this.options.tell({ kind: "silence", text: "it has gone silent" });
  }
}

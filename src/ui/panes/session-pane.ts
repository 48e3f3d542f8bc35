import { finished } from "node:stream";
import type { Host, SessionHandle } from "../../runtime/host/host.ts";
import type { Sandboxes } from "../../runtime/multiplex/index.ts";
import type { CopyMode } from "../copy-mode/copy-mode.ts";
import { resizeCopyMode } from "../copy-mode/resize.ts";
import { describeError } from "../errors.ts";
import type { PaneId } from "../layout/pane-id.ts";
import type { PaneStatus } from "../state.ts";
import type { OuterCapabilities } from "../terminal/outer-capabilities.ts";
import { PaneTerminal } from "../terminal/pane-terminal.ts";
import type { ShellState } from "../terminal/prompts.ts";
import type { DesktopRequest } from "../terminal/requests.ts";
import { OutputBacklog } from "./output-backlog.ts";
import type { ParseTurns } from "./parse-turns.ts";

export interface SessionPaneOptions {
  /** Unique among panes. */
  id: PaneId;
  machine: string;
  session: string;
  host: Host;
  sandboxes: Sandboxes;
  cols: number;
  rows: number;
  /** Lines kept above the screen; default 1000. */
  scrollback?: number;
  /** What the user's terminal can do and looks like. */
  outer?: OuterCapabilities;
  turns: ParseTurns;
  /** Whether the user waits for this pane's output more than for that of others. */
  first(): boolean;
  /** A session is shown as it was found. */
  onBegan?(shell: ShellState): void;
  /** Live output has been drawn; not what the session had written before. */
  onOutput?(): void;
  onBell?(): void;
  onRequest?(request: DesktopRequest): void;
  onStatus(status: PaneStatus): void;
  /** There is something new to draw. */
  onChange(): void;
}

/** A burst of sizes (a dragged window corner) reaches the guest as one. */
const resizeQuietMs = 40;
const retryMs = [250, 500, 1000, 2000, 5000];
/** Answers to a program's queries are dropped when it leaves this much input unread. */
const unreadLimit = 65_536;

/** One session of one machine on one terminal; reconnects until it is closed or the shell ends. */
export class SessionPane {
  readonly id: PaneId;
  terminal: PaneTerminal;
  /** Lines above the live screen that are shown. */
  scrollOffset = 0;
  /** The frozen picture that is shown instead of the live one. */
  copyMode: CopyMode | undefined;
  status: PaneStatus = { kind: "waiting" };
  private readonly options: SessionPaneOptions;
  private cols: number;
  private rows: number;
  private handle: SessionHandle | undefined;
  private unsubscribe: (() => void) | undefined;
  private backlog: OutputBacklog | undefined;
  private attempts = 0;
  private retryTimer: NodeJS.Timeout | undefined;
  private resizeTimer: NodeJS.Timeout | undefined;
  private resizedAt = 0;
  private closed = false;

  constructor(options: SessionPaneOptions) {
    this.options = options;
    this.id = options.id;
    this.cols = options.cols;
    this.rows = options.rows;
    this.terminal = this.newTerminal();
  }

  /** Opens the session, starting a shell when the machine has none. Failures are retried. */
  async connect(): Promise<void> {
    if (this.closed || this.status.kind === "connecting" || this.status.kind === "live") return;
    clearTimeout(this.retryTimer);
    const first = this.attempts === 0;
    if (first || this.status.kind === "ended") this.setStatus({ kind: "connecting" });
    else this.status = { kind: "connecting" };
    const terminal = this.newTerminal();
    try {
      const handle = await this.options.host.openSession(this.options.machine, {
        name: this.options.session,
        cols: this.cols,
        rows: this.rows,
        onReplay: (replay) => {
          this.backlog?.flush();
          terminal.replay(replay);
          this.options.onBegan?.(terminal.shell);
          this.options.onChange();
        },
      });
      if (this.closed) {
        handle.close();
        terminal.dispose();
        return;
      }
      this.goLive(handle, terminal);
    } catch (error) {
      terminal.dispose();
      this.lose(error);
    }
  }

  get live(): boolean {
    return this.handle !== undefined;
  }

  /** Keys, pastes and mouse reports for the guest. */
  send(bytes: Uint8Array): void {
    if (!this.handle || bytes.length === 0) return;
    this.scrollTo(0);
    this.options.sandboxes.send(this.id, Buffer.from(bytes));
  }

  /** Something of ours over the pane has changed. */
  changed(): void {
    this.options.onChange();
  }

  scrollBy(lines: number): void {
    this.scrollTo(this.scrollOffset + lines);
  }

  scrollTo(offset: number): void {
    const wanted = Math.max(0, Math.min(this.terminal.historyLines, offset));
    if (wanted === this.scrollOffset) return;
    this.scrollOffset = wanted;
    this.options.onChange();
  }

  /** The first size of a burst is used at once, the last one after it has ended. */
  resize(cols: number, rows: number): void {
    if (cols === this.cols && rows === this.rows) return;
    this.cols = cols;
    this.rows = rows;
    if (this.resizeTimer) return;
    const wait = this.resizedAt + resizeQuietMs - Date.now();
    if (wait <= 0) this.applySize();
    else {
      this.resizeTimer = setTimeout(() => {
        this.resizeTimer = undefined;
        this.applySize();
      }, wait);
    }
  }

  /** Detaches; the session goes on in the machine. */
  close(): void {
    this.closed = true;
    clearTimeout(this.retryTimer);
    clearTimeout(this.resizeTimer);
    this.drop()?.close();
    this.terminal.dispose();
  }

  /** The emulator first: what the program draws for the new size must find it there. */
  private applySize(): void {
    this.resizedAt = Date.now();
    this.backlog?.flush();
    const resize = () => this.terminal.resize(this.cols, this.rows);
    if (!this.copyMode) resize();
    else {
      resizeCopyMode(this.copyMode, () => {
        resize();
        return this.terminal.snapshot();
      });
    }
    this.handle?.resize(this.cols, this.rows);
    this.options.onChange();
  }

  private newTerminal(): PaneTerminal {
    return new PaneTerminal({
      cols: this.cols,
      rows: this.rows,
      scrollback: this.options.scrollback,
      onReply: (bytes) => {
        if (this.handle && this.handle.stdin.writableLength < unreadLimit) {
          this.options.sandboxes.send(this.id, Buffer.from(bytes));
        }
      },
      onBell: this.options.onBell,
      onRequest: this.options.onRequest,
      onTitle: () => this.options.onChange(),
      ...(this.options.outer && {
        colours: () => this.options.outer!.colours,
        kittyKeyboard: () => this.options.outer!.kittyKeyboard,
      }),
      onHoldTimeout: () => this.options.onChange(),
    });
  }

  private goLive(handle: SessionHandle, terminal: PaneTerminal): void {
    this.terminal.dispose();
    this.terminal = terminal;
    this.handle = handle;
    this.scrollOffset = 0;
    this.attempts = 0;
    this.options.onBegan?.(terminal.shell);
    if (terminal.cols !== this.cols || terminal.rows !== this.rows) this.applySize();
    this.options.sandboxes.add(this.id, handle);
    const backlog = new OutputBacklog({
      turns: this.options.turns,
      first: this.options.first,
      parse: (bytes) => this.parse(terminal, bytes),
      pause: () => handle.stdout.pause(),
      resume: () => handle.stdout.resume(),
    });
    this.backlog = backlog;
    this.unsubscribe = this.options.sandboxes.onOutput(this.id, (chunk) => backlog.push(chunk));
    const end = (then: () => void) => {
      // What the session wrote last may still be on its way.
      finished(handle.stdout, { writable: false }, () => {
        if (this.handle !== handle) return;
        backlog.flush();
        this.drop();
        then();
      });
    };
    handle.wait().then(
      ({ code }) => end(() => this.setStatus({ kind: "ended", code })),
      (error) => end(() => this.lose(error)),
    );
    this.setStatus({ kind: "live" });
  }

  private parse(terminal: PaneTerminal, bytes: Buffer): void {
    const before = terminal.historyLines;
    terminal.write(bytes);
    if (this.scrollOffset > 0) this.followHistory(terminal.historyLines - before);
    this.options.onOutput?.();
    this.options.onChange();
  }

  /** A pane that is scrolled back keeps showing the same lines while new ones arrive below. */
  private followHistory(added: number): void {
    this.scrollOffset = Math.max(
      0,
      Math.min(this.terminal.historyLines, this.scrollOffset + Math.max(0, added)),
    );
  }

  private lose(error: unknown): void {
    if (this.closed) return;
    this.setStatus({ kind: "lost", message: describeError(error) });
    const wait = retryMs[Math.min(this.attempts, retryMs.length - 1)]!;
    this.attempts++;
    this.retryTimer = setTimeout(() => void this.connect(), wait);
  }

  private drop(): SessionHandle | undefined {
    const handle = this.handle;
    if (!handle) return undefined;
    this.handle = undefined;
    this.unsubscribe?.();
    this.unsubscribe = undefined;
    this.backlog?.clear();
    this.backlog = undefined;
    this.options.sandboxes.remove(this.id);
    return handle;
  }

  private setStatus(status: PaneStatus): void {
    this.status = status;
    this.options.onStatus(status);
  }
}

import type { Grid } from "../screen/grid.ts";
import type { Cursor } from "../screen/painter.ts";
import { type DefaultColours, PaneColours } from "./colours.ts";
import { printAsciiFast } from "./fast-print.ts";
import { scrollFast } from "./fast-scroll.ts";
import { KeyboardProtocol } from "./keyboard-protocol.ts";
import { encodeMouse, type MouseEvent } from "./mouse.ts";
import { OutputHold } from "./output-hold.ts";
import { ModeWatch, type PaneModes } from "./pane-modes.ts";
import { encodePaste } from "./paste.ts";
import { PromptMarks, type ShellState } from "./prompts.ts";
import { answerQueries } from "./queries.ts";
import { type DesktopRequest, watchDesktopRequests } from "./requests.ts";
import { RowCopier } from "./row-copier.ts";
import { keepScrollRegions } from "./scroll-regions.ts";
import { Snapshot } from "./snapshot.ts";
import {
  coreOf,
  createTerminal,
  guardFaults,
  writeSync,
  type XtermCore,
  type XtermTerminal,
} from "./xterm.ts";

export type { PaneModes } from "./pane-modes.ts";

export interface PaneTerminalOptions {
  cols: number;
  rows: number;
  /** Lines kept above the screen; default 1000. */
  scrollback?: number;
  /**
   * Answers to the program's queries, once per write: send them to its input. At most 4 KiB a
   * write; drop them when the program does not read.
   */
  onReply?(bytes: Uint8Array): void;
  /** Printable, at most 256 characters. */
  onTitle?(title: string): void;
  onBell?(): void;
  /** The program wants something of the desktop; the last request of a write. */
  onRequest?(request: DesktopRequest): void;
  /** The program held its output (DEC 2026) too long: draw the pane now. */
  onHoldTimeout?(): void;
  /** What colour queries are told. */
  colours?: () => DefaultColours;
  /** Whether the outer terminal speaks the kitty keyboard protocol; default no. */
  kittyKeyboard?: () => boolean;
}

export interface CopyOptions {
  /** Lines above the newest screen; 0 is live. Clamped to what there is. */
  scrollOffset?: number;
  /** Copy although the program holds its output, as when something else was drawn there. */
  force?: boolean;
}

const MAX_REPLY = 4096;
const MAX_TITLE = 256;
/** Columns or rows: a replay's size comes from the guest. */
const MAX_SIZE = 1000;
const DEFAULT_COLOURS = { foreground: 0xd0d0d0, background: 0x101010 };
/** End any unfinished sequence, then reset: a blank terminal whatever came before. */
const RESET = "\x18\x1b\\\x1b[!p\x1bc";

/** The terminal one session draws on. */
export class PaneTerminal {
  /** Rises when there is something new to copy; stands still while the program holds its output. */
  version = 1;
  /** The program's window title, "" until it sets one. */
  title = "";
  private readonly terminal: XtermTerminal;
  private readonly core: XtermCore;
  private readonly options: PaneTerminalOptions;
  private readonly colours: PaneColours;
  private readonly keyboard: KeyboardProtocol;
  private readonly modeWatch: ModeWatch;
  private readonly prompts: PromptMarks;
  private readonly copier: RowCopier;
  private readonly hold: OutputHold;
  private replies = "";
  private bell = false;
  private newTitle: string | null = null;
  private request: DesktopRequest | null = null;
  private replaying = false;

  constructor(options: PaneTerminalOptions) {
    this.options = options;
    const cols = clampCols(options.cols);
    const rows = clampRows(options.rows);
    this.terminal = createTerminal(cols, rows, options.scrollback ?? 1000);
    this.core = coreOf(this.terminal);
    const { terminal, core } = this;
    const reply = (text: string) => {
      if (!this.replaying && this.replies.length + text.length <= MAX_REPLY) this.replies += text;
    };
    guardFaults(terminal);
    printAsciiFast(core);
    scrollFast(core);
    answerQueries(terminal, core, reply);
    this.colours = new PaneColours(terminal, () => options.colours?.() ?? DEFAULT_COLOURS, reply);
    const kitty = () => options.kittyKeyboard?.() ?? false;
    this.keyboard = new KeyboardProtocol(terminal, core, kitty, reply);
    this.modeWatch = new ModeWatch(terminal, core);
    this.prompts = new PromptMarks(terminal, core);
    this.copier = new RowCopier(core);
    this.hold = new OutputHold(() => {
      this.version++;
      options.onHoldTimeout?.();
    });
    terminal.onData(reply);
    terminal.onBell(() => {
      this.bell = !this.replaying;
    });
    terminal.onTitleChange((title) => {
      this.newTitle = title.slice(0, MAX_TITLE).replace(/[\p{C}\u2028\u2029]/gu, "");
    });
    watchDesktopRequests(terminal, (request) => {
      if (!this.replaying) this.request = request;
    });
  }

  get cols(): number {
    return this.terminal.cols;
  }

  get rows(): number {
    return this.terminal.rows;
  }

  /** Parse output now; the screen is current when this returns. */
  write(bytes: Uint8Array | string): void {
    writeSync(this.terminal, bytes);
    this.updateHold();
    if (!this.hold.held) this.version++;
    this.deliver();
  }

  /** Draw what a session wrote before; its queries are not answered. */
  replay(replay: { cols: number; rows: number; bytes: Uint8Array; again: boolean }): void {
    const { cols, rows } = this;
    this.replaying = true;
    try {
      if (replay.again) writeSync(this.terminal, RESET);
      this.terminal.resize(clampCols(replay.cols), clampRows(replay.rows));
      writeSync(this.terminal, replay.bytes);
      keepScrollRegions(this.core, rows, () => this.terminal.resize(cols, rows));
      this.copier.resized();
    } finally {
      this.replaying = false;
    }
    this.updateHold();
    this.version++;
    this.deliver();
  }

  resize(cols: number, rows: number): void {
    this.terminal.resize(clampCols(cols), clampRows(rows));
    this.copier.resized();
    this.version++;
  }

  /**
   * Bring a rectangle of the grid up to date; true when a cell changed. Cheap when neither the
   * pane nor these grid rows changed since the last call.
   */
  copyTo(
    grid: Grid,
    x: number,
    y: number,
    w: number,
    h: number,
    options: CopyOptions = {},
  ): boolean {
    const target = { grid, x, y, w, h };
    const offset = Math.max(0, Math.min(options.scrollOffset ?? 0, this.historyLines));
    const force = options.force === true;
    if (this.hold.held && !force && !this.copier.moved(target, offset)) return false;
    const source = {
      first: this.core.buffers.active.ybase - offset,
      rows: this.rows,
      version: this.version,
      colours: this.colours.changed ? this.colours : null,
    };
    return this.copier.copy(target, source, offset, force);
  }

  /** In cells of the live screen. */
  get cursor(): Cursor {
    const { x, y } = this.core.buffers.active;
    const { isCursorHidden, decPrivateModes } = this.core.coreService;
    return {
      x: Math.min(x, this.cols - 1),
      y,
      visible: !isCursorHidden,
      shape: decPrivateModes.cursorStyle ?? "block",
      blink: decPrivateModes.cursorBlink ?? this.terminal.options.cursorBlink ?? false,
    };
  }

  get modes(): PaneModes {
    return this.modeWatch.all;
  }

  /** Flags of the kitty keyboard protocol the program has set; 0 for keys as they always were. */
  get keyboardFlags(): number {
    return this.keyboard.flags;
  }

  /** What the shell says it is doing. */
  get shell(): ShellState {
    return this.prompts.state;
  }

  /** Lines above the screen now: the largest useful scrollOffset (0 in the alternate screen). */
  get historyLines(): number {
    return this.core.buffers.active.ybase;
  }

  /** Everything that can be shown now, as it is, whatever comes later. */
  snapshot(): Snapshot {
    const colours = this.colours.changed ? this.colours : null;
    return new Snapshot(this.core, this.cols, this.rows, this.prompts.lines(), colours);
  }

  /** Null when the program did not ask for this event. Coordinates are cells of this pane. */
  encodeMouse(event: MouseEvent): Uint8Array | null {
    if (event.x >= this.cols || event.y >= this.rows) return null;
    const { mouse, mouseEncoding } = this.modes;
    return encodeMouse(event, mouse, mouseEncoding);
  }

  encodePaste(text: string): Uint8Array {
    return encodePaste(text, this.terminal.modes.bracketedPasteMode);
  }

  /** Null when the program did not ask for focus events. */
  encodeFocus(focused: boolean): Uint8Array | null {
    if (!this.terminal.modes.sendFocusMode) return null;
    return Buffer.from(focused ? "\x1b[I" : "\x1b[O", "latin1");
  }

  dispose(): void {
    this.hold.clear();
    this.terminal.dispose();
  }

  private updateHold(): void {
    this.hold.update(this.core.coreService.decPrivateModes.synchronizedOutput);
  }

  // Callbacks run outside the parser: one that throws, or writes again, must not upset it.
  private deliver(): void {
    const { replies, bell, newTitle, request } = this;
    this.replies = "";
    this.bell = false;
    this.newTitle = null;
    this.request = null;
    if (newTitle !== null && newTitle !== this.title) {
      this.title = newTitle;
      this.options.onTitle?.(newTitle);
    }
    if (bell) this.options.onBell?.();
    if (request) this.options.onRequest?.(request);
    if (replies) this.options.onReply?.(Buffer.from(replies, "utf8"));
  }
}

// xterm has no terminal of less than two columns.
function clampCols(cols: number): number {
  return Math.max(2, Math.min(MAX_SIZE, Math.floor(cols) || 2));
}

function clampRows(rows: number): number {
  return Math.max(1, Math.min(MAX_SIZE, Math.floor(rows) || 1));
}

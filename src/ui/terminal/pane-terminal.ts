import type { Grid } from "../screen/grid.ts";
import type { Cursor } from "../screen/painter.ts";
import {
  copyLine,
  coreOf,
  createTerminal,
  guardFaults,
  writeSync,
  type XtermCore,
  type XtermTerminal,
} from "./adapter.ts";
import { encodeMouse, type MouseEncoding, type MouseEvent, type MouseMode } from "./mouse.ts";
import { encodePaste } from "./paste.ts";
import { answerQueries, type PaneColours } from "./queries.ts";

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
  /** The program held its output (DEC 2026) too long: draw the pane now. */
  onHoldTimeout?(): void;
  /** What OSC 10/11 queries are told, `0xrrggbb`. */
  colours?: PaneColours;
}

export interface PaneModes {
  applicationCursorKeys: boolean;
  applicationKeypad: boolean;
  bracketedPaste: boolean;
  focusEvents: boolean;
  mouse: MouseMode;
  mouseEncoding: MouseEncoding;
  alternateScreen: boolean;
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
/** A program that dies while it holds its output must not freeze its pane. */
const HOLD_LIMIT_MS = 150;
const DEFAULT_COLOURS = { foreground: 0xd0d0d0, background: 0x101010 };
/** End any unfinished sequence, then reset: a blank terminal whatever came before. */
const RESET = "\x18\x1b\\\x1b[!p\x1bc";
const MOUSE_MODES: Record<string, MouseMode> = {
  none: "none",
  x10: "x10",
  vt200: "normal",
  drag: "button",
  any: "any",
};

/** The terminal one session draws on. */
export class PaneTerminal {
  /** Rises when there is something new to copy; stands still while the program holds its output. */
  version = 1;
  /** The program's window title, "" until it sets one. */
  title = "";
  private readonly terminal: XtermTerminal;
  private readonly core: XtermCore;
  private readonly options: PaneTerminalOptions;
  /** Of the encodings xterm no longer knows: set by the program, unless SGR is set too. */
  private oldEncoding: "utf8" | "urxvt" | null = null;
  private replies = "";
  private bell = false;
  private newTitle: string | null = null;
  private replaying = false;
  private holdTimer: NodeJS.Timeout | null = null;
  private holdExpired = false;
  private copied = "";
  private copiedVersion = 0;
  private copiedGrid: Grid | null = null;
  private copiedRows = new Int32Array(0);

  constructor(options: PaneTerminalOptions) {
    this.options = options;
    this.terminal = createTerminal(
      clampCols(options.cols),
      clampRows(options.rows),
      options.scrollback ?? 1000,
    );
    this.core = coreOf(this.terminal);
    const reply = (text: string) => {
      if (!this.replaying && this.replies.length + text.length <= MAX_REPLY) this.replies += text;
    };
    guardFaults(this.terminal);
    answerQueries(this.terminal, () => options.colours ?? DEFAULT_COLOURS, reply);
    this.terminal.onData(reply);
    this.terminal.onBell(() => {
      this.bell = !this.replaying;
    });
    this.terminal.onTitleChange((title) => {
      this.newTitle = title.slice(0, MAX_TITLE).replace(/[\p{C}\u2028\u2029]/gu, "");
    });
    this.watchOldEncodings();
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
    if (!this.held) this.version++;
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
      this.terminal.resize(cols, rows);
    } finally {
      this.replaying = false;
    }
    this.updateHold();
    this.version++;
    this.deliver();
  }

  resize(cols: number, rows: number): void {
    this.terminal.resize(clampCols(cols), clampRows(rows));
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
    const offset = Math.max(0, Math.min(options.scrollOffset ?? 0, this.historyLines));
    const target = `${x},${y},${w},${h},${offset},${grid.generation}`;
    const moved = target !== this.copied || grid !== this.copiedGrid;
    if (this.held && !moved && !options.force) return false;
    const left = Math.max(0, x);
    const width = Math.min(w, grid.cols - left);
    const height = Math.min(h, grid.rows - y);
    if (moved) this.copiedRows = new Int32Array(Math.max(0, height));
    const all = moved || this.version !== this.copiedVersion || options.force === true;
    const first = this.core.buffers.active.ybase - offset;
    let changed = false;
    for (let row = Math.max(0, -y); row < height && width > 0; row++) {
      const before = grid.rowVersions[y + row] as number;
      if (!all && before === this.copiedRows[row]) continue;
      // Below a screen smaller than the rectangle there is nothing, not other lines.
      copyLine(this.core, row < this.rows ? first + row : -1, grid, left, y + row, width);
      const after = grid.rowVersions[y + row] as number;
      if (after !== before) changed = true;
      this.copiedRows[row] = after;
    }
    this.copied = target;
    this.copiedGrid = grid;
    this.copiedVersion = this.version;
    return changed;
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
    const modes = this.terminal.modes;
    return {
      applicationCursorKeys: modes.applicationCursorKeysMode,
      applicationKeypad: modes.applicationKeypadMode,
      bracketedPaste: modes.bracketedPasteMode,
      focusEvents: modes.sendFocusMode,
      mouse: MOUSE_MODES[modes.mouseTrackingMode] ?? "none",
      mouseEncoding: this.mouseEncoding,
      alternateScreen: this.core.buffers.active === this.core.buffers.alt,
    };
  }

  /** Lines above the screen now: the largest useful scrollOffset (0 in the alternate screen). */
  get historyLines(): number {
    return this.core.buffers.active.ybase;
  }

  /** Null when the program did not ask for this event. Coordinates are cells of this pane. */
  encodeMouse(event: MouseEvent): Uint8Array | null {
    if (event.x >= this.cols || event.y >= this.rows) return null;
    const mode = MOUSE_MODES[this.terminal.modes.mouseTrackingMode] ?? "none";
    return encodeMouse(event, mode, this.mouseEncoding);
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
    this.clearHoldTimer();
    this.terminal.dispose();
  }

  private get mouseEncoding(): MouseEncoding {
    const encoding = this.core.coreMouseService.activeEncoding;
    if (encoding === "SGR") return "sgr";
    if (encoding === "SGR_PIXELS") return "sgr-pixels";
    return this.oldEncoding ?? "default";
  }

  private watchOldEncodings(): void {
    const parser = this.terminal.parser;
    for (const [mode, name] of [
      [1005, "utf8"],
      [1015, "urxvt"],
    ] as const) {
      parser.registerCsiHandler({ prefix: "?", final: "h" }, (params) => {
        if (params.includes(mode)) this.oldEncoding = name;
        return false;
      });
      parser.registerCsiHandler({ prefix: "?", final: "l" }, (params) => {
        if (params.includes(mode) && this.oldEncoding === name) this.oldEncoding = null;
        return false;
      });
    }
    parser.registerEscHandler({ final: "c" }, () => {
      this.oldEncoding = null;
      return false;
    });
  }

  private get held(): boolean {
    return this.holdTimer !== null;
  }

  private updateHold(): void {
    if (!this.core.coreService.decPrivateModes.synchronizedOutput) {
      this.clearHoldTimer();
      this.holdExpired = false;
    } else if (!this.held && !this.holdExpired) {
      this.holdTimer = setTimeout(() => this.expireHold(), HOLD_LIMIT_MS);
      this.holdTimer.unref();
    }
  }

  private expireHold(): void {
    this.holdTimer = null;
    this.holdExpired = true;
    this.version++;
    this.options.onHoldTimeout?.();
  }

  private clearHoldTimer(): void {
    if (this.holdTimer) clearTimeout(this.holdTimer);
    this.holdTimer = null;
  }

  // Callbacks run outside the parser: one that throws, or writes again, must not upset it.
  private deliver(): void {
    const { replies, bell, newTitle } = this;
    this.replies = "";
    this.bell = false;
    this.newTitle = null;
    if (newTitle !== null && newTitle !== this.title) {
      this.title = newTitle;
      this.options.onTitle?.(newTitle);
    }
    if (bell) this.options.onBell?.();
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

import type { Grid } from "../screen/grid.ts";
import type { Cursor } from "../screen/painter.ts";
import type { MouseEncoding, MouseEvent, MouseMode } from "./mouse.ts";

export interface PaneTerminalOptions {
  cols: number;
  rows: number;
  /** Lines kept above the screen; default 1000. */
  scrollback?: number;
  /** Answers to the program's queries: write them to its input. Drop them when it does not read. */
  onReply?(bytes: Uint8Array): void;
  /** Printable, at most 256 characters. */
  onTitle?(title: string): void;
  onBell?(): void;
  /** A program held its output (DEC 2026) too long: draw the pane now. */
  onHoldTimeout?(): void;
  /** What OSC 10/11 queries are told, `rrggbb` numbers. */
  colours?: { foreground: number; background: number };
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
  /** Copy although the program holds its output. */
  force?: boolean;
}

/** The terminal one session draws on. */
export class PaneTerminal {
  readonly cols: number = 0;
  readonly rows: number = 0;
  /** Rises when there is something new to copy; stands still while the program holds its output. */
  readonly version: number = 0;
  /** The program's window title, "" until it sets one. */
  readonly title: string = "";
  constructor(_options: PaneTerminalOptions) {}
  /** Parse output now; the screen is current when this returns. */
  write(_bytes: Uint8Array | string): void {}
  /** Draw what a session wrote before; its queries are not answered. */
  replay(_replay: { cols: number; rows: number; bytes: Uint8Array; again: boolean }): void {}
  resize(_cols: number, _rows: number): void {}
  /** Bring a rectangle of the grid up to date; true when a cell changed. Cheap when nothing did. */
  copyTo(
    _grid: Grid,
    _x: number,
    _y: number,
    _w: number,
    _h: number,
    _options?: CopyOptions,
  ): boolean {
    return false;
  }
  /** In cells of the live screen. */
  get cursor(): Cursor {
    return { x: 0, y: 0, visible: true, shape: "block", blink: false };
  }
  get modes(): PaneModes {
    throw new Error("pending");
  }
  /** Lines above the screen now: the largest useful scrollOffset (0 in the alternate screen). */
  get historyLines(): number {
    return 0;
  }
  /** Null when the program did not ask for this event. Coordinates are cells of this pane. */
  encodeMouse(_event: MouseEvent): Uint8Array | null {
    return null;
  }
  encodePaste(_text: string): Uint8Array {
    return new Uint8Array(0);
  }
  /** Null when the program did not ask for focus events. */
  encodeFocus(_focused: boolean): Uint8Array | null {
    return null;
  }
  dispose(): void {}
}

import headless from "@xterm/headless";
import { unicodeProvider } from "../screen/unicode.ts";

/**
 * Everything machinen uses of @xterm/headless beyond its published types stands in this file; its
 * test fails when another version of the package changes it.
 */
export type XtermTerminal = InstanceType<typeof headless.Terminal>;

interface XtermExtended {
  _ext: number;
  _urlId: number;
}
interface XtermStyle {
  fg: number;
  bg: number;
  extended: XtermExtended;
}
export interface XtermLine {
  _data: Uint32Array;
  _combined: Record<number, string>;
  _extendedAttrs: Record<number, XtermExtended | undefined>;
  length: number;
  /** It continues the line above. */
  isWrapped: boolean;
  clone(): XtermLine;
  copyFrom(line: XtermLine): void;
  setCellFromCodepoint(index: number, code: number, width: number, style: XtermStyle): void;
  translateToString(trim: boolean, start?: number, end?: number, columns?: number[]): string;
}
export interface XtermMarker {
  /** In the buffer; -1 once it has been trimmed away. */
  line: number;
  isDisposed: boolean;
  dispose(): void;
}
interface XtermBuffer {
  lines: { get(index: number): XtermLine | undefined; length: number };
  ybase: number;
  x: number;
  y: number;
  scrollTop: number;
  scrollBottom: number;
  addMarker(line: number): XtermMarker;
}
export interface XtermCore {
  rows: number;
  buffers: { active: XtermBuffer; alt: XtermBuffer; normal: XtermBuffer };
  coreService: {
    isCursorHidden: boolean;
    modes: { insertMode: boolean };
    decPrivateModes: {
      cursorStyle?: "block" | "underline" | "bar";
      cursorBlink?: boolean;
      synchronizedOutput: boolean;
      origin: boolean;
    };
  };
  /** Tells that lines have scrolled. */
  _bufferService: { rows: number; _onScroll: { fire(line: number): void } };
  _inputHandler: {
    eraseInDisplay(params: { params: number[] }, selective: boolean): boolean;
    print(data: Uint32Array, start: number, end: number): void;
    _activeBuffer: XtermBuffer;
    _curAttrData: XtermStyle;
    _charsetService: { charset: unknown };
    /** Rows of the screen; `end` is one of them. */
    _dirtyRowTracker: {
      start: number;
      end: number;
      /** Called before each write. */
      clearRange(): void;
      markDirty(row: number): void;
      markRangeDirty(first: number, last: number): void;
    };
    _parser: {
      precedingJoinState: number;
      setPrintHandler(handler: (data: Uint32Array, start: number, end: number) => void): void;
    };
  };
  _writeBuffer: {
    _writeBuffer: unknown[];
    _callbacks: unknown[];
    _pendingData: number;
    _bufferOffset: number;
  };
  coreMouseService: { activeProtocol: string; activeEncoding: string };
  _oscLinkService: { getLinkData(id: number): { uri: string } | undefined };
}

export function createTerminal(cols: number, rows: number, scrollback: number): XtermTerminal {
  const terminal = new headless.Terminal({
    cols,
    rows,
    scrollback,
    allowProposedApi: true,
    logLevel: "off",
    // Title queries stay off: their answer would be typed into the shell.
    windowOptions: {
      getWinSizePixels: true,
      getCellSizePixels: true,
      getWinSizeChars: true,
      pushTitle: true,
      popTitle: true,
    },
  });
  type Provider = Parameters<typeof terminal.unicode.register>[0];
  terminal.unicode.register(unicodeProvider as Provider);
  terminal.unicode.activeVersion = unicodeProvider.version;
  return terminal;
}

export function coreOf(terminal: XtermTerminal): XtermCore {
  return (terminal as unknown as { _core: XtermCore })._core;
}

/**
 * Parse now: xterm takes the first write after user input at once, others on a timer. Should its
 * parser throw, the rest of this write is lost, not the terminal.
 */
export function writeSync(terminal: XtermTerminal, data: Uint8Array | string): void {
  if (data.length === 0) return;
  terminal.input("", true);
  try {
    terminal.write(data);
  } catch {
    const pending = coreOf(terminal)._writeBuffer;
    pending._writeBuffer = [];
    pending._callbacks = [];
    pending._pendingData = 0;
    pending._bufferOffset = 0;
    // CAN: out of the sequence it was in.
    terminal.input("", true);
    terminal.write("\x18");
  }
}

/** Faults of xterm 6.0 that a program in a pane must not be able to reach. */
export function guardFaults(terminal: XtermTerminal): void {
  const core = coreOf(terminal);
  const { parser } = terminal;
  // RIS leaves a hidden cursor hidden.
  parser.registerEscHandler({ final: "c" }, () => {
    core.coreService.isCursorHidden = false;
    return false;
  });
  // Erasing up to the last cell looks at the line below it, which need not exist; it is the same
  // as erasing everything.
  for (const prefix of [undefined, "?"]) {
    parser.registerCsiHandler({ prefix, final: "J" }, (params) => {
      const { lines, x, y } = core.buffers.active;
      if (params[0] !== 1 || x + 1 < terminal.cols || y + 1 < lines.length) return false;
      return core._inputHandler.eraseInDisplay({ params: [2] }, prefix === "?");
    });
  }
}

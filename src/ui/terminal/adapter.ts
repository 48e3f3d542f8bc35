import headless from "@xterm/headless";
import { isUnsafe } from "../../runtime/printable.ts";
import {
  BG_DIM,
  BG_ITALIC,
  BG_LINKED,
  BG_OVERLINE,
  BLANK,
  CODE_MASK,
  COLOUR_16,
  COLOUR_256,
  COLOUR_BITS,
  COLOUR_MODE,
  COMBINED,
  FG_UNDERLINE,
  UNDERLINE_SHIFT,
  UNDERLINE_STYLE,
  WIDE_TAIL,
  WIDTH_SHIFT,
} from "../screen/cell.ts";
import type { Grid } from "../screen/grid.ts";
import { allowedLink } from "../screen/link.ts";
import { unicodeProvider } from "../screen/unicode.ts";

/**
 * Everything machinen uses of @xterm/headless beyond its published types stands in this file; its
 * test fails when another version of the package changes it.
 */
export type XtermTerminal = InstanceType<typeof headless.Terminal>;

/** xterm's own cell layout. Colours, their modes and the flag bits are those of cell.ts. */
const XTERM_CELL_WORDS = 3;
const XTERM_HAS_EXTENDED = 0x10000000;
/** SGR 59 is stored as this, so an underline explicitly this white takes the text's colour. */
const XTERM_NO_UNDERLINE_COLOUR = 0x3ffffff;
const BG_FLAGS = BG_ITALIC | BG_DIM | BG_OVERLINE;

interface XtermExtended {
  _ext: number;
  _urlId: number;
}
interface XtermLine {
  _data: Uint32Array;
  _combined: Record<number, string>;
  _extendedAttrs: Record<number, XtermExtended | undefined>;
  length: number;
}
interface XtermBuffer {
  lines: { get(index: number): XtermLine | undefined; length: number };
  ybase: number;
  x: number;
  y: number;
}
export interface XtermCore {
  buffers: { active: XtermBuffer; alt: XtermBuffer };
  coreService: {
    isCursorHidden: boolean;
    decPrivateModes: {
      cursorStyle?: "block" | "underline" | "bar";
      cursorBlink?: boolean;
      synchronizedOutput: boolean;
    };
  };
  _inputHandler: { eraseInDisplay(params: { params: number[] }, selective: boolean): boolean };
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

/** Copy `w` cells of a buffer line into a grid row; beyond the line's end, or at index -1, is blank. */
export function copyLine(
  core: XtermCore,
  index: number,
  grid: Grid,
  x: number,
  y: number,
  w: number,
): void {
  const line = index < 0 ? undefined : core.buffers.active.lines.get(index);
  grid.cutWide(x, y);
  grid.cutWide(x + w, y);
  const length = line ? Math.min(w, line.length) : 0;
  let column = 0;
  while (line && column < length) column += copyCell(core, line, column, length, grid, x, y);
  for (; column < w; column++) grid.put(x + column, y, BLANK, 0, 0, 0, 0);
}

// Writes one character, one or two columns wide, and returns its width. `length` clips.
function copyCell(
  core: XtermCore,
  line: XtermLine,
  column: number,
  length: number,
  grid: Grid,
  x: number,
  y: number,
): number {
  const data = line._data;
  const at = column * XTERM_CELL_WORDS;
  const raw = data[at] as number;
  const rawBg = (data[at + 2] as number) | 0;
  let fg = (data[at + 1] as number) | 0;
  fg = (fg & ~COLOUR_BITS) | plainColour(fg);
  let bg = (rawBg & BG_FLAGS) | plainColour(rawBg);
  let ext = 0;
  let link = 0;
  if (rawBg & XTERM_HAS_EXTENDED) {
    const extended = line._extendedAttrs[column];
    if (extended) {
      if (fg & FG_UNDERLINE) ext = underlineWord(extended._ext);
      if (extended._urlId) link = linkOf(core, grid, extended._urlId);
      if (link !== 0) bg |= BG_LINKED;
    }
  }
  let content = raw & (CODE_MASK | COMBINED);
  if (content & COMBINED) content = combinedContent(grid, line._combined[column] ?? "");
  else if (!standsAlone(content)) content = 0;
  const wide = raw >>> WIDTH_SHIFT === 2;
  const tail = wide && column + 1 < length ? (data[at + XTERM_CELL_WORDS] as number) : -1;
  const whole = tail >>> WIDTH_SHIFT === 0;
  if (content === 0 || raw >>> WIDTH_SHIFT === 0 || (wide && !whole)) {
    grid.put(x + column, y, BLANK, fg, bg, ext, link);
    return 1;
  }
  const width = wide ? 2 : 1;
  grid.put(x + column, y, content | (width << WIDTH_SHIFT), fg, bg, ext, link);
  if (wide) grid.put(x + column + 1, y, WIDE_TAIL, fg, bg, ext, link);
  return width;
}

// A mark without its base would join the neighbouring cell on the outer terminal.
function standsAlone(code: number): boolean {
  return code < 0x7f || (!isUnsafe(code) && unicodeProvider.wcwidth(code) > 0);
}

// xterm leaves bits of an earlier RGB colour beside a palette index.
function plainColour(word: number): number {
  const mode = word & COLOUR_MODE;
  return mode === COLOUR_16 || mode === COLOUR_256 ? mode | (word & 0xff) : word & COLOUR_BITS;
}

function underlineWord(ext: number): number {
  const style = (ext & UNDERLINE_STYLE) >> UNDERLINE_SHIFT;
  const colour = ext & COLOUR_BITS;
  const shape = style <= 1 ? 0 : style << UNDERLINE_SHIFT;
  return shape | (colour === XTERM_NO_UNDERLINE_COLOUR ? 0 : plainColour(colour));
}

function linkOf(core: XtermCore, grid: Grid, urlId: number): number {
  return grid.linkTable.id(allowedLink(core._oscLinkService.getLinkData(urlId)?.uri ?? ""));
}

function combinedContent(grid: Grid, text: string): number {
  let safe = "";
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (!isUnsafe(code)) safe += character;
    else if (safe === "") return 0;
  }
  const first = safe.codePointAt(0) ?? 0;
  if (!standsAlone(first)) return 0;
  return safe.length === (first > 0xffff ? 2 : 1) ? first : COMBINED | grid.texts.id(safe);
}

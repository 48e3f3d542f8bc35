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
import type { PaneColours } from "./colours.ts";
import type { XtermCore, XtermLine } from "./xterm.ts";

/** xterm's own cell layout. Colours, their modes and the flag bits are those of cell.ts. */
const XTERM_CELL_WORDS = 3;
const XTERM_HAS_EXTENDED = 0x10000000;
/** SGR 59 is stored as this, so an underline explicitly this white takes the text's colour. */
const XTERM_NO_UNDERLINE_COLOUR = 0x3ffffff;
const BG_FLAGS = BG_ITALIC | BG_DIM | BG_OVERLINE;

/**
 * Copy `w` cells of a buffer line into a grid row; what lies beyond the line's end, or a missing
 * line, is blank. `colours` replaces what the program has redefined; null when it has not.
 */
export function copyLine(
  core: XtermCore,
  line: XtermLine | undefined,
  grid: Grid,
  x: number,
  y: number,
  w: number,
  colours: PaneColours | null = null,
): void {
  grid.cutWide(x, y);
  grid.cutWide(x + w, y);
  const length = line ? Math.min(w, line.length) : 0;
  let column = 0;
  while (line && column < length) {
    column += copyCell(core, line, column, length, grid, x, y, colours);
  }
  const blank = colours && line ? colours.background(0) : 0;
  for (; column < w; column++) grid.put(x + column, y, BLANK, 0, blank, 0, 0);
}

/** Attributes of xterm's in cell.ts's words. */
export function attributesOf(attributes: { fg: number; bg: number; extended: { _ext: number } }): {
  fg: number;
  bg: number;
  ext: number;
} {
  const fg = (attributes.fg & ~COLOUR_BITS) | plainColour(attributes.fg);
  const bg = (attributes.bg & BG_FLAGS) | plainColour(attributes.bg);
  const styled = attributes.bg & XTERM_HAS_EXTENDED && fg & FG_UNDERLINE;
  return { fg, bg, ext: styled ? underlineWord(attributes.extended._ext) : 0 };
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
  colours: PaneColours | null,
): number {
  const data = line._data;
  const at = column * XTERM_CELL_WORDS;
  const raw = data[at] as number;
  const rawBg = (data[at + 2] as number) | 0;
  let fg = (data[at + 1] as number) | 0;
  fg = (fg & ~COLOUR_BITS) | plainColour(fg);
  let bg = (rawBg & BG_FLAGS) | plainColour(rawBg);
  if (colours) {
    fg = (fg & ~COLOUR_BITS) | colours.text(fg & COLOUR_BITS);
    bg = (bg & ~COLOUR_BITS) | colours.background(bg & COLOUR_BITS);
  }
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

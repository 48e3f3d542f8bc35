/**
 * How one cell is stored: four 32-bit words, laid out like a terminal emulator's own cells so that
 * a pane row is copied, not translated.
 *
 *   content   width (2 bits, 22..23) | combined flag (bit 21) | code point or text id (21 bits)
 *   fg        flags (6 bits, 26..31) | colour mode (2 bits, 24..25) | colour (24 bits)
 *   bg        flags (6 bits, 26..31) | colour mode (2 bits, 24..25) | colour (24 bits)
 *   ext       underline style (3 bits, 26..28) | underline colour mode and colour (26 bits)
 *
 * Normal form, which every writer keeps: an empty cell is a space; the second half of a wide
 * character has content 0 and its first half's colours; ext is 0 unless the cell is underlined; a
 * plain single underline has style 0.
 */
export const CELL_WORDS = 4;

export const CODE_MASK = 0x1fffff;
export const COMBINED = 0x200000;
export const WIDTH_SHIFT = 22;
/** Width 1, a space. */
export const BLANK = 32 | (1 << WIDTH_SHIFT);
/** The second half of a wide character. */
export const WIDE_TAIL = 0;

export const COLOUR_MODE = 0x3000000;
export const COLOUR_16 = 0x1000000;
export const COLOUR_256 = 0x2000000;
export const COLOUR_RGB = 0x3000000;
/** Mode and value. */
export const COLOUR_BITS = 0x3ffffff;

export const FG_INVERSE = 0x4000000;
export const FG_BOLD = 0x8000000;
export const FG_UNDERLINE = 0x10000000;
export const FG_BLINK = 0x20000000;
export const FG_INVISIBLE = 0x40000000;
export const FG_STRIKETHROUGH = 0x80000000 | 0;

export const BG_ITALIC = 0x4000000;
export const BG_DIM = 0x8000000;
/** Set exactly when the cell's link id is not 0. */
export const BG_LINKED = 0x10000000;
export const BG_OVERLINE = 0x40000000;

export const UNDERLINE_SHIFT = 26;
export const UNDERLINE_STYLE = 0x1c000000;

/** Colours and flags of a cell, as the drawing calls take them. */
export interface CellStyle {
  fg?: number;
  bg?: number;
  ext?: number;
}

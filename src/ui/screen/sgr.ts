import type { ByteWriter } from "./byte-writer.ts";
import {
  BG_DIM,
  BG_ITALIC,
  BG_OVERLINE,
  COLOUR_16,
  COLOUR_256,
  COLOUR_BITS,
  COLOUR_MODE,
  FG_BLINK,
  FG_BOLD,
  FG_INVERSE,
  FG_INVISIBLE,
  FG_STRIKETHROUGH,
  FG_UNDERLINE,
  UNDERLINE_SHIFT,
  UNDERLINE_STYLE,
} from "./cell.ts";
import { type ColourDepth, reduceColour } from "./colour.ts";

const FG_FLAGS = ~COLOUR_BITS;
const BG_FLAGS = BG_ITALIC | BG_DIM | BG_OVERLINE;

/** Remembers the outer terminal's current attributes and writes the least SGR for the next ones. */
export class SgrWriter {
  private fg = 0;
  private bg = 0;
  private ext = 0;
  /** Outlives the underline itself. */
  private underlineColour = 0;
  private open = false;
  private readonly out: ByteWriter;
  private readonly depth: ColourDepth;
  private readonly cache = new Map<number, number>();

  constructor(out: ByteWriter, depth: ColourDepth) {
    this.out = out;
    this.depth = depth;
  }

  /** To be called when the outer terminal's attributes are known to be reset. */
  assumeReset(): void {
    this.fg = 0;
    this.bg = 0;
    this.ext = 0;
    this.underlineColour = 0;
  }

  reset(): void {
    if (this.fg !== 0 || this.bg !== 0 || this.ext !== 0) this.out.ascii("\x1b[m");
    this.assumeReset();
  }

  /** Cell words; link and other foreign bits are ignored. */
  set(cellFg: number, cellBg: number, cellExt: number): void {
    let fg = cellFg;
    let bg = cellBg & (BG_FLAGS | COLOUR_BITS);
    let ext = cellExt;
    if (this.depth !== "truecolor") {
      fg = (fg & FG_FLAGS) | this.reduce(fg & COLOUR_BITS);
      bg = (bg & BG_FLAGS) | this.reduce(bg & COLOUR_BITS);
      // A terminal of few colours seldom knows underline styles.
      ext = this.depth === "256" ? (ext & UNDERLINE_STYLE) | this.reduce(ext & COLOUR_BITS) : 0;
    }
    if (fg === this.fg && bg === this.bg && ext === this.ext) return;
    if (fg === 0 && bg === 0) {
      this.reset();
      return;
    }
    this.open = false;
    this.flags(fg, bg, ext);
    if ((fg ^ this.fg) & COLOUR_BITS) this.colour(fg & COLOUR_BITS, 30);
    if ((bg ^ this.bg) & COLOUR_BITS) this.colour(bg & COLOUR_BITS, 40);
    if (this.open) this.out.byte(109);
    this.underline(ext, fg);
    this.fg = fg;
    this.bg = bg;
    this.ext = ext;
  }

  private reduce(colour: number): number {
    if (colour === 0) return 0;
    let reduced = this.cache.get(colour);
    if (reduced === undefined) {
      if (this.cache.size > 4096) this.cache.clear();
      reduced = reduceColour(colour, this.depth);
      this.cache.set(colour, reduced);
    }
    return reduced;
  }

  private flags(fg: number, bg: number, ext: number): void {
    const fgChange = fg ^ this.fg;
    const bgChange = bg ^ this.bg;
    if (fgChange & FG_BOLD || bgChange & BG_DIM) {
      // 22 ends both, so what stays on is set again.
      const ended = (this.fg & ~fg & FG_BOLD) !== 0 || (this.bg & ~bg & BG_DIM) !== 0;
      if (ended) this.param(22);
      if (fg & FG_BOLD && (ended || fgChange & FG_BOLD)) this.param(1);
      if (bg & BG_DIM && (ended || bgChange & BG_DIM)) this.param(2);
    }
    if (bgChange & BG_ITALIC) this.param(bg & BG_ITALIC ? 3 : 23);
    // Returning from a styled underline to the plain one needs the plain code again.
    const plainAgain = (this.ext & UNDERLINE_STYLE) !== 0 && (ext & UNDERLINE_STYLE) === 0;
    if (fgChange & FG_UNDERLINE || (fg & FG_UNDERLINE && plainAgain)) {
      this.param(fg & FG_UNDERLINE ? 4 : 24);
    }
    if (fgChange & FG_BLINK) this.param(fg & FG_BLINK ? 5 : 25);
    if (fgChange & FG_INVERSE) this.param(fg & FG_INVERSE ? 7 : 27);
    if (fgChange & FG_INVISIBLE) this.param(fg & FG_INVISIBLE ? 8 : 28);
    if (fgChange & FG_STRIKETHROUGH) this.param(fg & FG_STRIKETHROUGH ? 9 : 29);
    if (bgChange & BG_OVERLINE) this.param(bg & BG_OVERLINE ? 53 : 55);
  }

  private param(value: number): void {
    if (this.open) this.out.byte(59);
    else this.out.ascii("\x1b[");
    this.open = true;
    this.out.number(value);
  }

  private colour(colour: number, base: number): void {
    const mode = colour & COLOUR_MODE;
    const value = colour & 0xffffff;
    if (mode === 0) this.param(base + 9);
    else if (mode === COLOUR_16) this.param(value < 8 ? base + value : base + 52 + value);
    else if (mode === COLOUR_256) {
      this.param(base + 8);
      this.param(5);
      this.param(value & 0xff);
    } else {
      this.param(base + 8);
      this.param(2);
      this.param(value >> 16);
      this.param((value >> 8) & 0xff);
      this.param(value & 0xff);
    }
  }

  // Colon forms in sequences of their own: a terminal that cannot read them skips nothing else.
  private underline(ext: number, fg: number): void {
    if (!(fg & FG_UNDERLINE)) return;
    const style = (ext & UNDERLINE_STYLE) >> UNDERLINE_SHIFT;
    const oldStyle = (this.ext & UNDERLINE_STYLE) >> UNDERLINE_SHIFT;
    const wasOn = (this.fg & FG_UNDERLINE) !== 0;
    if (style !== 0 && (style !== oldStyle || !wasOn)) this.out.ascii(`\x1b[4:${style}m`);
    const colour = ext & COLOUR_BITS;
    if (colour === this.underlineColour) return;
    this.underlineColour = colour;
    const value = colour & 0xffffff;
    if ((colour & COLOUR_MODE) === 0) this.out.ascii("\x1b[59m");
    else if ((colour & COLOUR_MODE) <= COLOUR_256) this.out.ascii(`\x1b[58:5:${value & 0xff}m`);
    else this.out.ascii(`\x1b[58:2::${value >> 16}:${(value >> 8) & 0xff}:${value & 0xff}m`);
  }
}

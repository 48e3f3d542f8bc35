import {
  BG_DIM,
  BG_ITALIC,
  BG_OVERLINE,
  COLOUR_16,
  COLOUR_256,
  COLOUR_RGB,
  FG_BLINK,
  FG_BOLD,
  FG_INVERSE,
  FG_INVISIBLE,
  FG_STRIKETHROUGH,
  FG_UNDERLINE,
} from "../../../src/ui/screen/cell.ts";
import type { Grid } from "../../../src/ui/screen/grid.ts";
import type { SeededRandom } from "./seeded-random.ts";

const TEXTS = [
  "a",
  "xyz ",
  "hello, world",
  "│──┐",
  "漢字",
  "한글と",
  "e\u0301",
  "a\u0308\u0323b",
  "😀",
  "👩\u200d💻",
  "❤\ufe0f",
  "ﬁ½",
  "     ",
  "              ",
];

function randomColour(random: SeededRandom): number {
  const kind = random.below(5);
  if (kind < 2) return 0;
  if (kind === 2) return COLOUR_16 | random.below(16);
  if (kind === 3) return COLOUR_256 | random.below(256);
  return COLOUR_RGB | random.below(0xffffff);
}

export function randomStyle(random: SeededRandom): { fg: number; bg: number; ext: number } {
  if (random.chance(0.4)) return { fg: 0, bg: 0, ext: 0 };
  let fg = randomColour(random);
  let bg = randomColour(random);
  for (const flag of [FG_BOLD, FG_INVERSE, FG_BLINK, FG_INVISIBLE, FG_STRIKETHROUGH]) {
    if (random.chance(0.15)) fg |= flag;
  }
  for (const flag of [BG_DIM, BG_ITALIC, BG_OVERLINE]) if (random.chance(0.15)) bg |= flag;
  let ext = 0;
  if (random.chance(0.3)) {
    fg |= FG_UNDERLINE;
    // SGR has no 16-colour form for underlines.
    const colour = random.pick([
      0,
      COLOUR_256 | random.below(256),
      COLOUR_RGB | random.below(9999),
    ]);
    if (random.chance(0.5)) ext = (random.pick([0, 2, 3, 4, 5]) << 26) | colour;
  }
  return { fg, bg, ext };
}

/** Some random drawing calls, as a compositor makes them. */
export function scribble(grid: Grid, random: SeededRandom, scratch: Grid, strokes: number): void {
  for (let i = 0; i < strokes; i++) {
    const x = random.below(grid.cols + 4) - 2;
    const y = random.below(grid.rows + 2) - 1;
    const w = random.below(grid.cols);
    const h = random.below(6);
    const kind = random.below(8);
    if (kind === 0) grid.fill(x, y, w, h, random.chance(0.5) ? randomStyle(random) : {});
    else if (kind === 1) grid.copyFrom(scratch, random.below(9) - 2, random.below(5), w, h, x, y);
    else {
      const target = kind === 2 ? scratch : grid;
      const text = Array.from({ length: 1 + random.below(5) }, () => random.pick(TEXTS)).join("");
      target.drawText(x, y, text, randomStyle(random), random.chance(0.3) ? w : undefined);
    }
  }
}

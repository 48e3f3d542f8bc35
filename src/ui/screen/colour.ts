import { COLOUR_16, COLOUR_256, COLOUR_BITS, COLOUR_MODE, COLOUR_RGB } from "./cell.ts";

export type ColourDepth = "truecolor" | "256" | "16" | "none";

/** The xterm defaults of the first 16 colours. */
const BASE_COLOURS = [
  0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f,
  0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
];
const CUBE_LEVELS = [0, 95, 135, 175, 215, 255];

/** The colour word (mode and value) nearest to `colour` that the depth can show. */
export function reduceColour(colour: number, depth: ColourDepth): number {
  const mode = colour & COLOUR_MODE;
  if (depth === "truecolor" || mode === 0 || mode === COLOUR_16)
    return depth === "none" ? 0 : colour;
  if (depth === "none") return 0;
  if (depth === "256") {
    return mode === COLOUR_RGB ? COLOUR_256 | nearest256(colour & 0xffffff) : colour;
  }
  const value = colour & COLOUR_BITS & ~COLOUR_MODE;
  if (mode === COLOUR_256 && value < 16) return COLOUR_16 | value;
  return COLOUR_16 | nearest16(mode === COLOUR_RGB ? value : paletteColour(value & 0xff));
}

/** RGB of entry `index` of the 256-colour palette. */
export function paletteColour(index: number): number {
  if (index < 16) return BASE_COLOURS[index] ?? 0;
  if (index >= 232) return (8 + (index - 232) * 10) * 0x010101;
  const cube = index - 16;
  const level = (n: number) => CUBE_LEVELS[n % 6] ?? 0;
  return (level(Math.floor(cube / 36)) << 16) | (level(Math.floor(cube / 6)) << 8) | level(cube);
}

function nearest256(rgb: number): number {
  const step = (v: number) => (v < 48 ? 0 : v < 115 ? 1 : Math.floor((v - 35) / 40));
  const red = step(rgb >> 16);
  const green = step((rgb >> 8) & 0xff);
  const blue = step(rgb & 0xff);
  const cube = 16 + 36 * red + 6 * green + blue;
  const average = ((rgb >> 16) + ((rgb >> 8) & 0xff) + (rgb & 0xff)) / 3;
  const grey = 232 + Math.max(0, Math.min(23, Math.round((average - 8) / 10)));
  return distance(rgb, paletteColour(grey)) < distance(rgb, paletteColour(cube)) ? grey : cube;
}

function nearest16(rgb: number): number {
  let best = 0;
  for (let i = 1; i < 16; i++) {
    if (distance(rgb, paletteColour(i)) < distance(rgb, paletteColour(best))) best = i;
  }
  return best;
}

function distance(a: number, b: number): number {
  const red = (a >> 16) - (b >> 16);
  const green = ((a >> 8) & 0xff) - ((b >> 8) & 0xff);
  const blue = (a & 0xff) - (b & 0xff);
  return red * red + green * green + blue * blue;
}

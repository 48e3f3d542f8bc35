import {
  BG_DIM,
  BG_ITALIC,
  BG_OVERLINE,
  COLOUR_16,
  COLOUR_256,
  COLOUR_BITS,
  COLOUR_RGB,
  FG_BLINK,
  FG_BOLD,
  FG_INVERSE,
  FG_INVISIBLE,
  FG_STRIKETHROUGH,
  FG_UNDERLINE,
  UNDERLINE_SHIFT,
  UNDERLINE_STYLE,
} from "./cell.ts";

/** The current attributes, as cell.ts lays them out; ext outlasts the underline it belongs to. */
export interface Attributes {
  fg: number;
  bg: number;
  ext: number;
}

/** The ext word of a cell drawn now. */
export function underlineOf(style: Attributes): number {
  return style.fg & FG_UNDERLINE ? style.ext : 0;
}

function resetAttributes(style: Attributes): void {
  style.fg = 0;
  style.bg = 0;
  style.ext = 0;
}

/** Apply the parameters of one SGR sequence; colons make sub-parameters. */
export function applySgr(parameters: string, style: Attributes): void {
  const parts = parameters.split(";");
  for (let i = 0; i < parts.length; i++) {
    const sub = (parts[i] ?? "").split(":");
    const code = number(sub[0]);
    if (code === 38 || code === 48 || code === 58) {
      const colon = sub.length > 1;
      const values = colon ? sub.slice(1) : parts.slice(i + 1, i + 5);
      const { colour, used } = extendedColour(values, colon);
      if (!colon) i += used;
      if (colour !== null) setColour(style, code, colour);
    } else if (code === 4 && sub.length > 1) setUnderline(style, number(sub[1]));
    else applyCode(code, style);
  }
}

function number(text: string | undefined): number {
  return Number.parseInt(text ?? "", 10) || 0;
}

// `5;n`, `2;r;g;b`, and with colons also `2:space:r:g:b`.
function extendedColour(values: string[], colon: boolean): { colour: number | null; used: number } {
  const mode = number(values[0]);
  if (mode === 5) return { colour: COLOUR_256 | (number(values[1]) & 0xff), used: 2 };
  if (mode !== 2) return { colour: null, used: 1 };
  const at = colon && values.length > 4 ? 2 : 1;
  const channel = (i: number) => number(values[at + i]) & 0xff;
  return { colour: COLOUR_RGB | (channel(0) << 16) | (channel(1) << 8) | channel(2), used: 4 };
}

function setColour(style: Attributes, code: number, colour: number): void {
  if (code === 38) style.fg = (style.fg & ~COLOUR_BITS) | colour;
  else if (code === 48) style.bg = (style.bg & ~COLOUR_BITS) | colour;
  else style.ext = (style.ext & ~COLOUR_BITS) | colour;
}

function setUnderline(style: Attributes, given: number): void {
  if (given === 0) {
    style.fg &= ~FG_UNDERLINE;
    style.ext &= ~UNDERLINE_STYLE;
    return;
  }
  style.fg |= FG_UNDERLINE;
  const shape = given === 1 || given > 5 ? 0 : given;
  style.ext = (style.ext & ~UNDERLINE_STYLE) | (shape << UNDERLINE_SHIFT);
}

const FG_ON: Record<number, number> = {
  1: FG_BOLD,
  5: FG_BLINK,
  7: FG_INVERSE,
  8: FG_INVISIBLE,
  9: FG_STRIKETHROUGH,
};
const FG_OFF: Record<number, number> = {
  22: FG_BOLD,
  25: FG_BLINK,
  27: FG_INVERSE,
  28: FG_INVISIBLE,
  29: FG_STRIKETHROUGH,
};
const BG_ON: Record<number, number> = { 2: BG_DIM, 3: BG_ITALIC, 53: BG_OVERLINE };
const BG_OFF: Record<number, number> = { 22: BG_DIM, 23: BG_ITALIC, 55: BG_OVERLINE };

function applyCode(code: number, style: Attributes): void {
  if (code === 0) resetAttributes(style);
  else if (code === 4) setUnderline(style, 1);
  else if (code === 21) setUnderline(style, 2);
  else if (code === 24) setUnderline(style, 0);
  else if (code === 39) setColour(style, 38, 0);
  else if (code === 49) setColour(style, 48, 0);
  else if (code === 59) setColour(style, 58, 0);
  else if (code >= 30 && code <= 37) setColour(style, 38, COLOUR_16 | (code - 30));
  else if (code >= 40 && code <= 47) setColour(style, 48, COLOUR_16 | (code - 40));
  else if (code >= 90 && code <= 97) setColour(style, 38, COLOUR_16 | (code - 82));
  else if (code >= 100 && code <= 107) setColour(style, 48, COLOUR_16 | (code - 92));
  else {
    style.fg = (style.fg | (FG_ON[code] ?? 0)) & ~(FG_OFF[code] ?? 0);
    style.bg = (style.bg | (BG_ON[code] ?? 0)) & ~(BG_OFF[code] ?? 0);
  }
}

import { printable } from "../../runtime/printable.ts";
import type { PaneFrame } from "../layout/place-panes.ts";
import type { Rect } from "../layout/rect.ts";
import { BG_DIM, type CellStyle, COLOUR_16, FG_BOLD, FG_INVERSE } from "../screen/cell.ts";
import type { Grid } from "../screen/grid.ts";
import { familyColour, type Theme } from "../theme.ts";

export interface FrameLook {
  name: string;
  /** The program's window title. */
  title: string;
  /** At the right end of the title line: `attached`, `ended 0 ...`. */
  mark: string;
  /** Number of the machine's fork family, whose colour the name of an idle pane has. */
  family?: number;
  theme: Theme;
  tone: "attached" | "selected" | "idle";
  frame: PaneFrame;
  ascii: boolean;
  colour: boolean;
}

const round = { h: "─", v: "│", tl: "╭", tr: "╮", bl: "╰", br: "╯" };
const classic = { h: "-", v: "|", tl: "+", tr: "+", bl: "+", br: "+" };

function lineStyle(look: FrameLook): CellStyle {
  if (look.tone === "idle") return { bg: look.theme.dim ? BG_DIM : 0 };
  const { index } = look.theme[look.tone];
  return { fg: (look.colour ? COLOUR_16 | index : 0) | FG_BOLD };
}

/** Draws a pane's border and title line; drawn here and not by Ink because titles change often. */
export function drawFrame(grid: Grid, rect: Rect, look: FrameLook): void {
  const box = look.ascii ? classic : round;
  const style = lineStyle(look);
  const { x, y, width, height } = rect;
  const right = x + width - 1;
  const bottom = y + height - 1;
  if (look.frame === "box") {
    grid.drawText(x, y, box.tl + box.h.repeat(Math.max(0, width - 2)) + box.tr, style);
    for (let row = y + 1; row < bottom; row++) {
      grid.drawText(x, row, box.v, style);
      grid.drawText(right, row, box.v, style);
    }
    grid.drawText(x, bottom, box.bl + box.h.repeat(Math.max(0, width - 2)) + box.br, style);
  } else {
    grid.drawText(x, y, box.h.repeat(width), style);
  }
  drawTitle(grid, rect, look, style);
}

function drawTitle(grid: Grid, rect: Rect, look: FrameLook, style: CellStyle): void {
  const { x, y } = rect;
  const room = rect.width - 4;
  const name = ` ${printable(look.name)} `;
  const mark = look.mark ? ` ${look.mark} ` : "";
  const nameStyle = {
    ...style,
    fg: look.tone === "idle" ? familyColours(look) | FG_BOLD : (style.fg ?? 0) | FG_INVERSE,
    bg: 0,
  };
  // The mark says where keys go: a long name must not push it out.
  let used = grid.drawText(x + 2, y, name, nameStyle, Math.max(3, room - mark.length));
  const left = room - used - mark.length;
  const title = printable(look.title);
  if (title && left > 8)
    used += grid.drawText(x + 2 + used, y, ` ${title} `, { bg: BG_DIM }, left - 2);
  if (mark && room - used >= mark.length) {
    grid.drawText(x + rect.width - 2 - mark.length, y, mark, style);
  }
}

function familyColours(look: FrameLook): number {
  return look.family === undefined || !look.colour
    ? 0
    : COLOUR_16 | familyColour(look.theme, look.family).index;
}

/** One message in the middle of a pane that has no screen yet. */
export function drawMessage(grid: Grid, inside: Rect, text: string): void {
  const width = Math.min(inside.width, [...text].length);
  const x = inside.x + Math.floor((inside.width - width) / 2);
  const y = inside.y + Math.floor(inside.height / 2);
  grid.drawText(x, y, text, { bg: BG_DIM }, width);
}

/** A message over the last line of a pane whose screen stays visible. */
export function drawBanner(grid: Grid, inside: Rect, text: string): void {
  const y = inside.y + inside.height - 1;
  grid.fill(inside.x, y, inside.width, 1, { fg: FG_INVERSE });
  grid.drawText(inside.x + 1, y, text, { fg: FG_INVERSE }, inside.width - 2);
}

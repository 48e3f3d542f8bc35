import type { Rect } from "./rect.ts";
import { evenly, place, type Shape } from "./shape.ts";

/** The layouts that arrange any number of panes by themselves, in the order a key walks through. */
export const layoutNames = [
  "grid",
  "even-horizontal",
  "even-vertical",
  "main-vertical",
  "main-horizontal",
  "stack",
] as const;

export type LayoutName = (typeof layoutNames)[number];

/** A pane smaller than this shows nothing useful: further panes go to the next page. */
export const minimumPane = { width: 20, height: 5 };
/** Width to height of a comfortable pane, in cells. */
const idealAspect = 2.7;
/** What the main pane of a main layout takes. */
const mainShare = 3;
const restShare = 2;

/** How a named layout divides an area between `count` panes, at least one. */
export function shapeFor(layout: Exclude<LayoutName, "stack">, count: number, area: Rect): Shape {
  switch (layout) {
    case "even-horizontal":
      return evenly("row", places(count));
    case "even-vertical":
      return evenly("column", places(count));
    case "main-vertical":
      return mainAnd("row", evenly("column", places(Math.max(1, count - 1))), count);
    case "main-horizontal":
      return mainAnd("column", evenly("row", places(Math.max(1, count - 1))), count);
    case "grid":
      return grid(count, bestColumns(area, count));
  }
}

function places(count: number): Shape[] {
  return Array.from({ length: count }, () => place);
}

function mainAnd(direction: "row" | "column", others: Shape, count: number): Shape {
  if (count === 1) return place;
  return {
    kind: "split",
    direction,
    parts: [
      { share: mainShare, shape: place },
      { share: restShare, shape: others },
    ],
  };
}

/** Lines of `columns` panes; a short last line has wider ones. */
function grid(count: number, columns: number): Shape {
  const lines: Shape[] = [];
  for (let first = 0; first < count; first += columns) {
    lines.push(evenly("row", places(Math.min(columns, count - first))));
  }
  return evenly("column", lines);
}

/** Columns of panes for `count` panes: the number whose panes come nearest to the ideal shape. */
function bestColumns(area: Rect, count: number): number {
  let best = 1;
  let bestScore = Number.POSITIVE_INFINITY;
  for (let columns = 1; columns <= count; columns++) {
    const lines = Math.ceil(count / columns);
    const width = area.width / columns;
    const height = area.height / lines;
    if (columns > 1 && width < minimumPane.width) break;
    const cramped = height < minimumPane.height ? 10 : 0;
    const emptyPlaces = columns * lines - count;
    const score = Math.abs(Math.log(width / height / idealAspect)) + cramped + emptyPlaces * 0.05;
    if (score < bestScore) {
      best = columns;
      bestScore = score;
    }
  }
  return best;
}

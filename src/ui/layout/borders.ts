import { contains, type Rect } from "./rect.ts";
import { countPlaces, type Direction, partOf, partRects, type Shape, type Split } from "./shape.ts";

/** The line between two parts of a split. */
export interface Border {
  /** From the outermost split: which part leads to the split the border is in. */
  path: readonly number[];
  /** It lies behind this part. */
  after: number;
  direction: Direction;
  /** The first column or row behind it. */
  position: number;
  /** The split's rectangle: where the border can go. */
  area: Rect;
}

/** No part gets smaller than this by moving a border, in cells with its frame. */
const minimumPart = { row: 6, column: 3 };

/** All borders of a shape that fills `area`. */
export function bordersOf(shape: Shape, area: Rect, path: readonly number[] = []): Border[] {
  if (shape.kind === "place") return [];
  const { direction } = shape;
  const rects = partRects(shape, area);
  return shape.parts.flatMap((part, index) => {
    const rect = rects[index]!;
    const inner = bordersOf(part.shape, rect, [...path, index]);
    if (index === shape.parts.length - 1) return inner;
    const position = direction === "row" ? rect.x + rect.width : rect.y + rect.height;
    return [{ path, after: index, direction, position, area }, ...inner];
  });
}

/** The border under a cell: frames on both sides of it count. */
export function borderAt(borders: readonly Border[], x: number, y: number): Border | undefined {
  return borders.find(({ direction, position, area }) => {
    const at = direction === "row" ? x : y;
    return contains(area, x, y) && (at === position || at === position - 1);
  });
}

/** The shape with a border as near to `position` as the parts beside it allow. */
export function moveBorder(shape: Shape, border: Border, position: number): Shape {
  return changeSplit(shape, border.path, (split) => {
    const row = split.direction === "row";
    const rects = partRects(split, border.area);
    const sizes = rects.map((rect) => (row ? rect.width : rect.height));
    const before = sizes[border.after]!;
    const both = before + sizes[border.after + 1]!;
    const minimum = Math.min(minimumPart[split.direction], Math.floor(both / 2));
    const wanted = before + position - border.position;
    const size = Math.max(minimum, Math.min(both - minimum, wanted));
    sizes[border.after] = size;
    sizes[border.after + 1] = both - size;
    return {
      ...split,
      parts: split.parts.map((part, index) => ({ ...part, share: Math.max(1, sizes[index]!) })),
    };
  });
}

/** The border that makes a pane larger or smaller: behind it, or before it when it is the last. */
export function borderOfPlace(
  shape: Shape,
  area: Rect,
  at: number,
  direction: Direction,
): Border | undefined {
  let found: Border | undefined;
  let node = shape;
  let rect = area;
  let within = at;
  const path: number[] = [];
  while (node.kind === "split") {
    const split = node;
    const inSplit = partOf(split, within);
    const rects = partRects(split, rect);
    if (split.direction === direction && split.parts.length > 1) {
      const after = Math.min(inSplit.index, split.parts.length - 2);
      const part = rects[after]!;
      const position = direction === "row" ? part.x + part.width : part.y + part.height;
      found = { path: [...path], after, direction, position, area: rect };
    }
    path.push(inSplit.index);
    node = split.parts[inSplit.index]!.shape;
    rect = rects[inSplit.index]!;
    within = inSplit.within;
  }
  return found;
}

function changeSplit(
  shape: Shape,
  path: readonly number[],
  change: (split: Split) => Split,
): Shape {
  if (shape.kind === "place" || countPlaces(shape) < 2) return shape;
  const [first, ...rest] = path;
  if (first === undefined) return change(shape);
  const parts = shape.parts.map((part, index) =>
    index === first ? { ...part, shape: changeSplit(part.shape, rest, change) } : part,
  );
  return { ...shape, parts };
}

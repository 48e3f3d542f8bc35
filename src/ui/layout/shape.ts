import type { Rect } from "./rect.ts";

/** How an area is divided: rows and columns down to places, which panes fill in reading order. */
export type Shape = Place | Split;

export interface Place {
  kind: "place";
}

export interface Split {
  kind: "split";
  /** `row`: parts stand side by side; `column`: one above the other. */
  direction: Direction;
  parts: readonly Part[];
}

export interface Part {
  /** Its size relative to the other parts of the split, above 0. */
  share: number;
  shape: Shape;
}

export type Direction = "row" | "column";

export const place: Place = { kind: "place" };

/** Parts of equal size; a single one needs no split. */
export function evenly(direction: Direction, shapes: readonly Shape[]): Shape {
  if (shapes.length === 1) return shapes[0]!;
  return { kind: "split", direction, parts: shapes.map((shape) => ({ share: 1, shape })) };
}

export function countPlaces(shape: Shape): number {
  if (shape.kind === "place") return 1;
  return shape.parts.reduce((sum, part) => sum + countPlaces(part.shape), 0);
}

/** Where the parts of a split begin and how long they are; together exactly `length`. */
export function cut(length: number, shares: readonly number[]): [start: number, size: number][] {
  const total = shares.reduce((sum, share) => sum + share, 0);
  const edges = [0];
  let sum = 0;
  for (const share of shares) {
    sum += share;
    edges.push(Math.round((length * sum) / total));
  }
  return shares.map((_, index) => [edges[index]!, edges[index + 1]! - edges[index]!]);
}

/** The rectangle of each part of a split that fills `area`. */
export function partRects(split: Split, area: Rect): Rect[] {
  const row = split.direction === "row";
  const shares = split.parts.map((part) => part.share);
  return cut(row ? area.width : area.height, shares).map(([start, size]) =>
    row
      ? { ...area, x: area.x + start, width: size }
      : { ...area, y: area.y + start, height: size },
  );
}

/** Rectangles that fill the area without gaps, one for each place. */
export function placeRects(shape: Shape, area: Rect): Rect[] {
  if (shape.kind === "place") return [area];
  const rects = partRects(shape, area);
  return shape.parts.flatMap((part, index) => placeRects(part.shape, rects[index]!));
}

/** Divides one place in two; the new place comes after it. */
export function splitPlace(shape: Shape, at: number, direction: Direction): Shape {
  if (shape.kind === "place") return evenly(direction, [place, place]);
  const { index, within } = partOf(shape, at);
  const part = shape.parts[index]!;
  const parts = [...shape.parts];
  // A further part of the same split, so that closing it gives the space back to its neighbours.
  if (part.shape.kind === "place" && shape.direction === direction) {
    const half = { share: part.share / 2, shape: place };
    parts.splice(index, 1, half, half);
  } else {
    parts[index] = { ...part, shape: splitPlace(part.shape, within, direction) };
  }
  return { ...shape, parts };
}

/** Takes one place away; its neighbours get its space. Undefined when it was the last one. */
export function removePlace(shape: Shape, at: number): Shape | undefined {
  if (shape.kind === "place") return undefined;
  const { index, within } = partOf(shape, at);
  const part = shape.parts[index]!;
  const rest = removePlace(part.shape, within);
  const parts = [...shape.parts];
  if (rest) {
    parts[index] = { ...part, shape: rest };
  } else {
    parts.splice(index, 1);
    const heir = Math.max(0, index - 1);
    parts[heir] = { ...parts[heir]!, share: parts[heir]!.share + part.share };
  }
  return parts.length === 1 ? parts[0]!.shape : { ...shape, parts };
}

/** The part that has a place, and the place's number within the part. */
export function partOf(split: Split, at: number): { index: number; within: number } {
  let within = at;
  for (const [index, part] of split.parts.entries()) {
    const places = countPlaces(part.shape);
    if (within < places) return { index, within };
    within -= places;
  }
  throw new RangeError(`there is no place ${at}`);
}

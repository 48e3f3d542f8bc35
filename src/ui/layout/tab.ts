import { type Border, borderOfPlace, bordersOf, moveBorder } from "./borders.ts";
import { type LayoutName, shapeFor } from "./named.ts";
import type { PaneId } from "./pane-id.ts";
import type { Rect } from "./rect.ts";
import { type Direction, placeRects, removePlace, type Shape, splitPlace } from "./shape.ts";

/** A saved set of panes and how they stand. */
export interface Tab {
  /** Unique while the program runs. */
  id: number;
  /** Given by the user; empty: named by what it shows. */
  name: string;
  /** In reading order. */
  panes: readonly PaneId[];
  /** The layout last chosen. */
  layout: LayoutName;
  /** What the user made of it by hand; then the layout's own shape no longer counts. */
  shape?: Shape;
  /** The pane commands are about when this tab is looked at. */
  active?: PaneId;
  zoomed: boolean;
  /** It was opened to set machines side by side. */
  compares?: boolean;
  /** What is typed goes to all its panes. */
  synchronized?: boolean;
  /** Cells in which its panes differ are marked. */
  highlighted?: boolean;
}

export function emptyTab(id: number, layout: LayoutName, name = ""): Tab {
  return { id, name, panes: [], layout, zoomed: false };
}

/** Adds a pane behind another one (default: the last); a shape made by hand divides that one. */
export function addPane(tab: Tab, id: PaneId, beside: PaneId | undefined, area: Rect): Tab {
  if (tab.panes.includes(id)) return { ...tab, active: id };
  const at = beside === undefined ? -1 : tab.panes.indexOf(beside);
  const after = at < 0 ? tab.panes.length - 1 : at;
  const panes = inserted(tab.panes, after + 1, id);
  const shape = tab.shape && tab.panes.length > 0 ? roomiest(tab.shape, after, area) : undefined;
  return { ...tab, panes, shape, active: id };
}

/** Divides the active pane's place by hand and puts a pane into the new half. */
export function splitPane(tab: Tab, id: PaneId, direction: Direction, area: Rect): Tab {
  const at = tab.active === undefined ? -1 : tab.panes.indexOf(tab.active);
  if (at < 0 || tab.panes.includes(id)) return addPane(tab, id, undefined, area);
  // A stack has no sides: it goes on as a stack.
  if (tab.layout === "stack" && !tab.shape) return addPane(tab, id, tab.active, area);
  const shape = splitPlace(handShape(tab, area), at, direction);
  return { ...tab, panes: inserted(tab.panes, at + 1, id), shape, active: id, zoomed: false };
}

export function removePane(tab: Tab, id: PaneId): Tab {
  const at = tab.panes.indexOf(id);
  if (at < 0) return tab;
  const panes = tab.panes.filter((pane) => pane !== id);
  // In a shape made by hand the pane before has got the space.
  const heir = tab.shape ? Math.max(0, at - 1) : Math.min(at, panes.length - 1);
  const active = tab.active === id ? panes[heir] : tab.active;
  return {
    ...tab,
    panes,
    active,
    shape: tab.shape && removePlace(tab.shape, at),
    zoomed: tab.zoomed && panes.length > 0 && tab.active !== id,
  };
}

/** Exchanges the active pane with the one `by` places on; the ends are neighbours. */
export function swapPane(tab: Tab, by: number): Tab {
  const { panes, active } = tab;
  const at = active === undefined ? -1 : panes.indexOf(active);
  if (at < 0 || panes.length < 2) return tab;
  const other = (at + by + panes.length) % panes.length;
  const next = [...panes];
  [next[at], next[other]] = [next[other]!, next[at]!];
  return { ...tab, panes: next };
}

/** Every pane moves to the place behind its own, the last one to the first. */
export function rotatePanes(tab: Tab, by: 1 | -1): Tab {
  const { panes } = tab;
  if (panes.length < 2) return tab;
  const next = by === 1 ? [panes.at(-1)!, ...panes.slice(0, -1)] : [...panes.slice(1), panes[0]!];
  return { ...tab, panes: next };
}

/** The borders that can be moved in a tab that fills `area`. */
export function tabBorders(tab: Tab, area: Rect): Border[] {
  if (tab.zoomed || tab.panes.length < 2 || (tab.layout === "stack" && !tab.shape)) return [];
  return bordersOf(handShape(tab, area), area);
}

export function moveTabBorder(tab: Tab, border: Border, position: number, area: Rect): Tab {
  return { ...tab, shape: moveBorder(handShape(tab, area), border, position) };
}

/** Moves the active pane's border `by` cells to the right or down. */
export function resizePane(tab: Tab, direction: Direction, by: number, area: Rect): Tab {
  const at = tab.active === undefined ? -1 : tab.panes.indexOf(tab.active);
  if (at < 0 || tabBorders(tab, area).length === 0) return tab;
  const border = borderOfPlace(handShape(tab, area), area, at, direction);
  return border ? moveTabBorder(tab, border, border.position + by, area) : tab;
}

/** The shape as it stands now, for changing by hand. */
function handShape(tab: Tab, area: Rect): Shape {
  if (tab.shape) return tab.shape;
  return shapeFor(
    tab.layout === "stack" ? "grid" : tab.layout,
    Math.max(1, tab.panes.length),
    area,
  );
}

/** Divides a place along its longer side, as it looks to the eye: cells are twice as high as wide. */
function roomiest(shape: Shape, at: number, area: Rect): Shape {
  const rect = placeRects(shape, area)[at]!;
  return splitPlace(shape, at, rect.width >= rect.height * 2.5 ? "row" : "column");
}

function inserted(panes: readonly PaneId[], at: number, id: PaneId): PaneId[] {
  return [...panes.slice(0, at), id, ...panes.slice(at)];
}

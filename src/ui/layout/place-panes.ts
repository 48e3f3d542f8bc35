import { minimumPane, shapeFor } from "./named.ts";
import type { PaneId } from "./pane-id.ts";
import type { Rect } from "./rect.ts";
import { placeRects } from "./shape.ts";
import type { Tab } from "./tab.ts";

/** `box`: a border all around; `title`: a title line only. */
export type PaneFrame = "box" | "title";

/** A pane on the screen. */
export interface PlacedPane {
  id: PaneId;
  rect: Rect;
  frame: PaneFrame;
  /** The cells of its terminal; without height when only its title is shown. */
  inside: Rect;
}

/** A pane the user has made smaller than this by hand cannot be drawn. */
const hardMinimum = { width: 4, height: 3 };

/** Tabs never change, so what was worked out for one stays right. */
const placed = new WeakMap<Tab, { area: Rect; panes: PlacedPane[] }>();

/** Which panes of a tab are on the screen and where: all that fit, always with the active one. */
export function placePanes(tab: Tab, area: Rect): PlacedPane[] {
  const known = placed.get(tab);
  if (known && sameRect(known.area, area)) return known.panes;
  const panes = arrange(tab, area);
  placed.set(tab, { area, panes });
  return panes;
}

function arrange(tab: Tab, area: Rect): PlacedPane[] {
  const { panes } = tab;
  if (panes.length === 0) return [];
  const at = tab.active === undefined ? -1 : panes.indexOf(tab.active);
  if (tab.zoomed && at >= 0) return [framed(panes[at]!, area, "title")];
  if (tab.shape) {
    const rects = placeRects(tab.shape, area);
    if (rects.every((rect) => fits(rect, hardMinimum))) return boxes(panes, rects);
  } else if (tab.layout === "stack") {
    return stack(panes, Math.max(0, at), area);
  }
  return pageOf(tab, Math.max(0, at), area);
}

/** As many panes as are still readable, around the active one. */
function pageOf(tab: Tab, at: number, area: Rect): PlacedPane[] {
  const { panes } = tab;
  const layout = tab.shape || tab.layout === "stack" ? "grid" : tab.layout;
  let size = panes.length;
  while (size > 1) {
    const rects = placeRects(shapeFor(layout, size, area), area);
    if (rects.every((rect) => fits(rect, minimumPane))) break;
    size--;
  }
  const first = Math.floor(at / size) * size;
  const page = panes.slice(first, first + size);
  return boxes(page, placeRects(shapeFor(layout, page.length, area), area));
}

/** Title lines one under the other; the active pane is open between them. */
function stack(panes: readonly PaneId[], at: number, area: Rect): PlacedPane[] {
  const room = Math.max(1, area.height - minimumPane.height + 1);
  const first = Math.max(0, Math.min(panes.length - room, at - Math.floor(room / 2)));
  const shown = panes.slice(first, first + room);
  const open = area.height - shown.length + 1;
  let y = area.y;
  return shown.map((id, index) => {
    const height = first + index === at ? open : 1;
    const rect = { ...area, y, height };
    y += height;
    return framed(id, rect, "title");
  });
}

function boxes(panes: readonly PaneId[], rects: readonly Rect[]): PlacedPane[] {
  return panes.map((id, index) => framed(id, rects[index]!, "box"));
}

function framed(id: PaneId, rect: Rect, frame: PaneFrame): PlacedPane {
  return { id, rect, frame, inside: insideOf(rect, frame) };
}

function insideOf({ x, y, width, height }: Rect, frame: PaneFrame): Rect {
  return frame === "title"
    ? { x, y: y + 1, width, height: Math.max(0, height - 1) }
    : { x: x + 1, y: y + 1, width: Math.max(1, width - 2), height: Math.max(1, height - 2) };
}

function fits(rect: Rect, minimum: { width: number; height: number }): boolean {
  return rect.width >= minimum.width && rect.height >= minimum.height;
}

function sameRect(a: Rect, b: Rect): boolean {
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}

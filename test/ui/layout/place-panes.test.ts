import { describe, expect, it } from "vitest";
import { layoutNames } from "../../../src/ui/layout/named.ts";
import { placePanes } from "../../../src/ui/layout/place-panes.ts";
import { centered, type Rect } from "../../../src/ui/layout/rect.ts";
import { screenAreas } from "../../../src/ui/layout/screen-areas.ts";
import { addPane, emptyTab, splitPane, type Tab } from "../../../src/ui/layout/tab.ts";

const area: Rect = { x: 30, y: 0, width: 130, height: 44 };
const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `m${index}`);

function tabOf(count: number, more: Partial<Tab> = {}): Tab {
  return { ...emptyTab(1, "grid"), panes: ids(count), active: "m0", ...more };
}

/** Every cell of the area belongs to exactly one rectangle. */
function covers(outer: Rect, rects: readonly Rect[]): boolean {
  const cells = new Set<string>();
  for (const rect of rects) {
    for (let y = rect.y; y < rect.y + rect.height; y++) {
      for (let x = rect.x; x < rect.x + rect.width; x++) {
        if (cells.has(`${x},${y}`)) return false;
        cells.add(`${x},${y}`);
      }
    }
  }
  return cells.size === outer.width * outer.height;
}

const rectsOf = (tab: Tab, outer = area): Rect[] => placePanes(tab, outer).map(({ rect }) => rect);

describe("named layouts", () => {
  it("grid: one pane has everything, two stand side by side, three and four are two by two", () => {
    expect(rectsOf(tabOf(1))).toEqual([area]);
    expect(rectsOf(tabOf(2)).map(({ y }) => y)).toEqual([0, 0]);
    expect(rectsOf(tabOf(3)).map(({ y }) => y)).toEqual([0, 0, 22]);
    expect(rectsOf(tabOf(3))[2]!.width).toBe(130);
    expect(rectsOf(tabOf(4)).map(({ y }) => y)).toEqual([0, 0, 22, 22]);
  });

  it("grid: one over the other where side by side would be too narrow to read", () => {
    const narrow = { x: 0, y: 0, width: 56, height: 23 };
    expect(rectsOf(tabOf(2), narrow).map(({ x }) => x)).toEqual([0, 0]);
  });

  it("even: all panes beside, or above, each other", () => {
    expect(rectsOf(tabOf(3, { layout: "even-horizontal" })).map(({ x }) => x)).toEqual([
      30, 73, 117,
    ]);
    expect(rectsOf(tabOf(4, { layout: "even-vertical" })).map(({ y }) => y)).toEqual([
      0, 11, 22, 33,
    ]);
  });

  it("main: the first pane is the large one", () => {
    const beside = rectsOf(tabOf(3, { layout: "main-vertical" }));
    expect(beside[0]).toEqual({ x: 30, y: 0, width: 78, height: 44 });
    expect(beside.slice(1).map(({ x, height }) => [x, height])).toEqual([
      [108, 22],
      [108, 22],
    ]);
    const above = rectsOf(tabOf(3, { layout: "main-horizontal" }));
    expect(above[0]).toMatchObject({ width: 130, height: 26 });
    expect(above.slice(1).map(({ y, width }) => [y, width])).toEqual([
      [26, 65],
      [26, 65],
    ]);
  });

  it("stack: titles, and the active pane open between them", () => {
    const placed = placePanes(tabOf(4, { layout: "stack", active: "m2" }), area);
    expect(placed.map(({ rect }) => rect.height)).toEqual([1, 1, 41, 1]);
    expect(placed.map(({ inside }) => inside.height)).toEqual([0, 0, 40, 0]);
  });

  it("fill any area without gaps or overlaps", () => {
    for (const [width, height] of [
      [130, 44],
      [40, 9],
      [77, 31],
      [300, 90],
    ] as const) {
      const outer = { x: 3, y: 1, width, height };
      for (const layout of layoutNames) {
        for (let count = 1; count <= 12; count++) {
          const rects = rectsOf(tabOf(count, { layout }), outer);
          expect(covers(outer, rects), `${layout}, ${count} in ${width}x${height}`).toBe(true);
        }
      }
    }
  });

  it("show only what can be read, always with the active pane", () => {
    for (const layout of layoutNames) {
      for (const active of ["m0", "m57", "m199"]) {
        const placed = placePanes(tabOf(200, { layout, active }), area);
        expect(placed.map(({ id }) => id)).toContain(active);
        const open = placed.filter(({ inside }) => inside.height > 0);
        expect(open.every(({ rect }) => rect.width >= 20 && rect.height >= 5)).toBe(true);
      }
    }
  });
});

describe("other ways to place panes", () => {
  it("zooms the active pane alone", () => {
    const placed = placePanes(tabOf(9, { zoomed: true, active: "m3" }), area);
    expect(placed.map(({ id, rect }) => [id, rect])).toEqual([["m3", area]]);
  });

  it("shows a page of readable panes when a shape made by hand does not fit any more", () => {
    let tab = addPane(emptyTab(1, "grid"), "m0", undefined, area);
    for (const id of ids(9).slice(1)) tab = splitPane(tab, id, "row", area);
    expect(placePanes(tab, area)).toHaveLength(9);
    const small = { x: 0, y: 0, width: 40, height: 12 };
    const placed = placePanes(tab, small);
    expect(placed.map(({ id }) => id)).toContain("m8");
    expect(placed.every(({ rect }) => rect.width >= 20 && rect.height >= 5)).toBe(true);
  });
});

describe("the areas of the screen", () => {
  const content = { cols: 160, rows: 45, zoomed: false, tabs: false, sidebar: true };

  it("call anything under 40x10 too small", () => {
    expect(screenAreas({ ...content, cols: 39, rows: 30 }).tooSmall).toBe(true);
    expect(screenAreas({ ...content, cols: 100, rows: 9 }).tooSmall).toBe(true);
    expect(screenAreas({ ...content, cols: 40, rows: 10 }).tooSmall).toBe(false);
  });

  it("drop the sidebar when it would cost too much, or is not wanted", () => {
    expect(screenAreas(content).sidebar?.width).toBe(30);
    expect(screenAreas({ ...content, cols: 50, rows: 20 }).sidebar).toBeUndefined();
    expect(screenAreas({ ...content, sidebar: false }).panes.width).toBe(160);
    expect(screenAreas({ ...content, zoomed: true }).panes).toEqual({
      x: 0,
      y: 0,
      width: 160,
      height: 44,
    });
  });

  it("give tabs a line when there are several", () => {
    const areas = screenAreas({ ...content, tabs: true });
    expect(areas.tabs).toEqual({ x: 30, y: 0, width: 130, height: 1 });
    expect(areas.panes).toMatchObject({ y: 1, height: 43 });
  });
});

it("keeps dialogs within the screen", () => {
  const box = centered({ x: 0, y: 0, width: 40, height: 9 }, 200, 100);
  expect(box.width).toBeLessThanOrEqual(40);
  expect(box.height).toBeLessThanOrEqual(9);
});

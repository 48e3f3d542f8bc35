import { describe, expect, it } from "vitest";
import {
  centered,
  layoutScreen,
  paneInside,
  placePanes,
  type Rect,
  tile,
} from "../../src/ui/layout.ts";

const area: Rect = { x: 30, y: 0, width: 130, height: 44 };

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

describe("tile", () => {
  it("gives one pane everything, two stand side by side, three and four are two by two", () => {
    expect(tile(area, 1)).toEqual([area]);
    expect(tile(area, 2).map(({ y }) => y)).toEqual([0, 0]);
    expect(tile(area, 3).map(({ y }) => y)).toEqual([0, 0, 22]);
    expect(tile(area, 3)[2]!.width).toBe(130);
    expect(tile(area, 4).map(({ y }) => y)).toEqual([0, 0, 22, 22]);
  });

  it("stacks two panes where side by side would be too narrow to read", () => {
    expect(tile({ x: 0, y: 0, width: 56, height: 23 }, 2).map(({ x }) => x)).toEqual([0, 0]);
  });

  it("fills any area without gaps or overlaps", () => {
    for (const [width, height] of [
      [130, 44],
      [40, 9],
      [77, 31],
      [300, 90],
    ] as const) {
      for (let count = 1; count <= 12; count++) {
        const outer = { x: 3, y: 1, width, height };
        expect(covers(outer, tile(outer, count)), `${count} in ${width}x${height}`).toBe(true);
      }
    }
  });
});

describe("placePanes", () => {
  const ids = Array.from({ length: 200 }, (_, index) => `m${index}`);

  it("shows only what fits, always with the selected machine", () => {
    for (const selected of ["m0", "m57", "m199"]) {
      const placed = placePanes(area, ids, selected, false);
      expect(placed.map(({ id }) => id)).toContain(selected);
      for (const { rect } of placed) {
        expect(rect.width).toBeGreaterThanOrEqual(20);
        expect(rect.height).toBeGreaterThanOrEqual(5);
      }
    }
  });

  it("zooms the selected machine alone", () => {
    expect(placePanes(area, ids, "m3", true)).toEqual([{ id: "m3", rect: area }]);
  });
});

describe("layoutScreen", () => {
  it("calls anything under 40x10 too small", () => {
    expect(layoutScreen(39, 30, false).tooSmall).toBe(true);
    expect(layoutScreen(100, 9, false).tooSmall).toBe(true);
    expect(layoutScreen(40, 10, false).tooSmall).toBe(false);
  });

  it("drops the sidebar when it would cost too much", () => {
    expect(layoutScreen(160, 45, false).sidebar?.width).toBe(30);
    expect(layoutScreen(50, 20, false).sidebar).toBeUndefined();
    expect(layoutScreen(160, 45, true).panes).toEqual({ x: 0, y: 0, width: 160, height: 44 });
  });
});

it("keeps insides and dialogs within their frames", () => {
  expect(paneInside({ x: 0, y: 0, width: 1, height: 1 }, false)).toMatchObject({
    width: 1,
    height: 1,
  });
  const box = centered({ x: 0, y: 0, width: 40, height: 9 }, 200, 100);
  expect(box.width).toBeLessThanOrEqual(40);
  expect(box.height).toBeLessThanOrEqual(9);
});

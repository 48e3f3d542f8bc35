import { describe, expect, it } from "vitest";
import { borderAt } from "../../../src/ui/layout/borders.ts";
import { neighbour } from "../../../src/ui/layout/neighbour.ts";
import { paneId, paneTarget } from "../../../src/ui/layout/pane-id.ts";
import { placePanes } from "../../../src/ui/layout/place-panes.ts";
import type { Rect } from "../../../src/ui/layout/rect.ts";
import {
  addPane,
  emptyTab,
  moveTabBorder,
  removePane,
  resizePane,
  rotatePanes,
  splitPane,
  swapPane,
  type Tab,
  tabBorders,
} from "../../../src/ui/layout/tab.ts";

const area: Rect = { x: 0, y: 0, width: 100, height: 40 };

/** a beside b over c, made by splitting. */
function three(): Tab {
  const one = addPane(emptyTab(1, "grid"), "a", undefined, area);
  return splitPane(splitPane(one, "b", "row", area), "c", "column", area);
}

const rect = (tab: Tab, id: string): Rect =>
  placePanes(tab, area).find((placed) => placed.id === id)!.rect;

describe("splitting and closing", () => {
  it("divides the active pane", () => {
    const tab = three();
    expect(tab.panes).toEqual(["a", "b", "c"]);
    expect(rect(tab, "a")).toEqual({ x: 0, y: 0, width: 50, height: 40 });
    expect(rect(tab, "b")).toEqual({ x: 50, y: 0, width: 50, height: 20 });
    expect(rect(tab, "c")).toEqual({ x: 50, y: 20, width: 50, height: 20 });
  });

  it("gives the space of a closed pane to its neighbour, and another pane the selection", () => {
    const tab = removePane(three(), "c");
    expect(rect(tab, "b")).toEqual({ x: 50, y: 0, width: 50, height: 40 });
    expect(rect(tab, "a").width).toBe(50);
    expect(tab.active).toBe("b");
    const last = removePane(removePane(tab, "a"), "b");
    expect(last.panes).toEqual([]);
    expect(last.shape).toBeUndefined();
  });

  it("adds further panes to a shape made by hand without disturbing the others", () => {
    const tab = addPane(three(), "d", "a", area);
    expect(tab.panes).toEqual(["a", "d", "b", "c"]);
    expect(rect(tab, "c")).toEqual({ x: 50, y: 20, width: 50, height: 20 });
    expect(rect(tab, "a").width + rect(tab, "a").height).toBeLessThan(90);
  });

  it("keeps a named layout when panes come and go by themselves", () => {
    let tab: Tab = { ...emptyTab(1, "even-vertical") };
    for (const id of ["a", "b", "c"]) tab = addPane(tab, id, undefined, area);
    expect(rect(tab, "b").width).toBe(100);
    expect(rect(removePane(tab, "a"), "b").height).toBe(20);
  });
});

describe("moving panes", () => {
  it("swaps neighbours and rotates all", () => {
    const tab = three();
    expect(swapPane({ ...tab, active: "a" }, 1).panes).toEqual(["b", "a", "c"]);
    expect(swapPane({ ...tab, active: "a" }, -1).panes).toEqual(["c", "b", "a"]);
    expect(rotatePanes(tab, 1).panes).toEqual(["c", "a", "b"]);
    expect(rotatePanes(tab, -1).panes).toEqual(["b", "c", "a"]);
    expect(rotatePanes(tab, 1).shape).toBe(tab.shape);
  });

  it("finds the neighbour on each side", () => {
    const placed = placePanes(three(), area);
    expect(neighbour(placed, "a", "right")).toBe("b");
    expect(neighbour(placed, "b", "down")).toBe("c");
    expect(neighbour(placed, "c", "left")).toBe("a");
    expect(neighbour(placed, "c", "right")).toBeUndefined();
  });
});

describe("borders", () => {
  it("are under the frames on both sides of them", () => {
    const borders = tabBorders(three(), area);
    expect(borderAt(borders, 49, 7)).toMatchObject({ direction: "row", position: 50 });
    expect(borderAt(borders, 50, 30)).toMatchObject({ direction: "row" });
    expect(borderAt(borders, 70, 19)).toMatchObject({ direction: "column", position: 20 });
    expect(borderAt(borders, 20, 19)).toBeUndefined();
    expect(borderAt(borders, 0, 0)).toBeUndefined();
  });

  it("move with the parts beside them, as far as these allow", () => {
    const tab = three();
    const border = borderAt(tabBorders(tab, area), 50, 5)!;
    const moved = moveTabBorder(tab, border, 70, area);
    expect(rect(moved, "a").width).toBe(70);
    expect(rect(moved, "c").width).toBe(30);
    expect(rect(moveTabBorder(tab, border, -50, area), "a").width).toBe(6);
    expect(rect(moveTabBorder(tab, border, 500, area), "b").width).toBe(6);
  });

  it("keep their proportion when the screen changes", () => {
    const border = borderAt(tabBorders(three(), area), 50, 5)!;
    const moved = moveTabBorder(three(), border, 75, area);
    const placed = placePanes(moved, { ...area, width: 200 });
    expect(placed[0]!.rect.width).toBe(150);
  });

  it("can be moved by keys: the one behind the pane, or before the last", () => {
    const tab = three();
    expect(rect(resizePane({ ...tab, active: "a" }, "row", 5, area), "a").width).toBe(55);
    expect(rect(resizePane({ ...tab, active: "c" }, "row", 5, area), "a").width).toBe(55);
    expect(rect(resizePane({ ...tab, active: "c" }, "column", -4, area), "c").height).toBe(24);
    const alone = addPane(emptyTab(1, "grid"), "a", undefined, area);
    expect(resizePane(alone, "row", 5, area)).toBe(alone);
  });

  it("turn a named layout into a shape made by hand", () => {
    let tab: Tab = emptyTab(1, "even-horizontal");
    for (const id of ["a", "b"]) tab = addPane(tab, id, undefined, area);
    const moved = moveTabBorder(tab, tabBorders(tab, area)[0]!, 80, area);
    expect(moved.shape).toBeDefined();
    expect(rect(moved, "a").width).toBe(80);
  });
});

it("names panes by machine and session", () => {
  expect(paneId("12")).toBe("12/main");
  expect(paneTarget(paneId("12", "a/b"))).toEqual({ machine: "12", session: "a/b" });
});

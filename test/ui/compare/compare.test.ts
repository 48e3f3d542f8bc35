import { describe, expect, it } from "vitest";
import type { MachineDifference } from "../../../src/runtime/compare/index.ts";
import type { MachineInfo } from "../../../src/runtime/host/host.ts";
import { type DifferencesDialog, differenceRows } from "../../../src/ui/compare/differences.ts";
import { nearestFamily } from "../../../src/ui/compare/family.ts";
import { markDifferences } from "../../../src/ui/compare/highlight.ts";
import { dialogView } from "../../../src/ui/dialogs/dialog-views.ts";
import { CELL_WORDS, FG_INVERSE } from "../../../src/ui/screen/cell.ts";
import { Grid } from "../../../src/ui/screen/grid.ts";
import { currentTab, keyMode, synchronizedPanes } from "../../../src/ui/selectors.ts";
import { type Action, initialState, reduce } from "../../../src/ui/state.ts";

function machine(pid: number, parentPid?: number): MachineInfo {
  const parent = parentPid === undefined ? {} : { parentPid };
  return { id: String(pid), pid, name: `m${pid}`, state: "running", startedAt: pid, ...parent };
}

describe("the nearest family", () => {
  const machines = [
    machine(1),
    machine(2, 1),
    machine(3, 2),
    machine(4, 1),
    machine(5, 3),
    machine(9),
  ];
  const pids = (id: string) => nearestFamily(machines, id).map(({ pid }) => pid);

  it("is the forks, the source, its other forks and then the rest, in the list's order", () => {
    expect(pids("2")).toEqual([1, 2, 3, 4]);
    expect(pids("1")).toEqual([1, 2, 3, 4]);
    expect(pids("5")).toEqual([1, 2, 3, 5]);
  });

  it("is nobody else for a machine without forks", () => {
    expect(pids("9")).toEqual([9]);
    expect(pids("77")).toEqual([]);
  });

  it("ends for a ring", () => {
    expect(nearestFamily([machine(1, 2), machine(2, 1)], "1")).toHaveLength(2);
  });
});

describe("marks", () => {
  function inverted(grid: Grid, y: number): string {
    return Array.from({ length: grid.cols }, (_, x) =>
      (grid.cells[(y * grid.cols + x) * CELL_WORDS + 1]! & FG_INVERSE) === 0 ? "." : "#",
    ).join("");
  }

  it("stand on the cells that differ, in all of the panes", () => {
    const grid = new Grid(20, 1);
    grid.drawText(0, 0, "abcdef");
    grid.drawText(10, 0, "abXdeY");
    markDifferences(grid, [
      { x: 0, y: 0, width: 8, height: 1 },
      { x: 10, y: 0, width: 6, height: 1 },
    ]);
    expect(inverted(grid, 0)).toBe("..#..#......#..#....");
  });

  it("cover both halves of a wide character", () => {
    const grid = new Grid(8, 1);
    grid.drawText(0, 0, "日x");
    grid.drawText(4, 0, "月x");
    markDifferences(grid, [
      { x: 0, y: 0, width: 4, height: 1 },
      { x: 4, y: 0, width: 4, height: 1 },
    ]);
    expect(inverted(grid, 0)).toBe("##..##..");
  });

  it("need something to differ from", () => {
    const grid = new Grid(4, 1);
    markDifferences(grid, [{ x: 0, y: 0, width: 4, height: 1 }]);
    expect(inverted(grid, 0)).toBe("....");
  });
});

const difference: MachineDifference = {
  a: { pid: 1, name: "m1" },
  b: { pid: 2, name: "m2" },
  files: [
    { path: "/etc/x", change: "changed", touchedBy: "b", aspects: ["content"] },
    { path: "/new\x1b[31m", change: "added", aspects: [] },
  ],
  unread: [],
  processes: [{ only: "b", pid: 7, parentPid: 1, uid: 0, name: "sleep", command: "sleep 9" }],
  sessions: [{ name: "main", environment: [{ name: "A", a: "1" }], lastStatus: { a: 0, b: 2 } }],
};

describe("the dialog of differences", () => {
  const dialog: DifferencesDialog = {
    kind: "differences",
    ids: ["1", "2"],
    names: ["m1", "m2"],
    index: 0,
  };
  const after = (...actions: Action[]) =>
    actions.reduce(reduce, reduce(initialState(100, 30, 0), { type: "dialog-opened", dialog }));

  it("lists files, processes and sessions, and lets nothing steer the terminal", () => {
    const rows = differenceRows({ ...dialog, difference });
    expect(rows.map(({ line }) => line.text)).toEqual([
      "Files",
      "~ /etc/x  (content, m2)",
      "+ /new [31m",
      "Processes",
      "+ 7 sleep 9  (only in m2)",
      "Session main",
      "~ last command ended with 0 → 2",
      "~ A: 1 → (unset)",
    ]);
    expect(
      differenceRows({
        ...dialog,
        difference: { ...difference, files: [], processes: [], sessions: [] },
      }),
    ).toHaveLength(1);
  });

  it("takes only the answer it waits for", () => {
    expect(dialogView(after())!.lines[0]!.text).toContain("looking");
    const stranger = after({ type: "differences-found", ids: ["1", "3"], difference });
    expect(dialogView(stranger)!.lines[0]!.text).toContain("looking");
    const state = after({ type: "differences-found", ids: ["1", "2"], difference });
    expect(dialogView(state)!.lines).toHaveLength(8);
    expect(keyMode(state)).toBe("differences");
  });

  it("opens a file over the list, and closing it leads back", () => {
    const opened = after(
      { type: "differences-found", ids: ["1", "2"], difference },
      { type: "dialog-moved", by: 1, last: 7 },
      { type: "difference-opened", path: "/etc/x", lines: ["@@ -1 +1 @@", "-a", "+b"] },
    );
    expect(dialogView(opened)!.lines.map(({ tone }) => tone)).toEqual(["dim", "removed", "added"]);
    const back = reduce(opened, { type: "dialog-closed" });
    expect(dialogView(back)!.lines[1]).toMatchObject({ tone: "selected" });
    expect(reduce(back, { type: "dialog-closed" }).dialog).toBeUndefined();
  });
});

describe("a tab that compares", () => {
  const live = (id: string): Action => ({
    type: "pane-changed",
    id: `${id}/main`,
    status: { kind: "live" },
  });
  const start = [
    { type: "listed", machines: [machine(1), machine(2, 1), machine(3)], now: 5 },
    live("1"),
    live("2"),
    live("3"),
    { type: "compare-opened", panes: ["1/main", "2/main"] },
  ] satisfies Action[];
  const after = (...actions: Action[]) => actions.reduce(reduce, initialState(120, 40, 0));

  it("shows just these side by side, and is not opened twice", () => {
    const state = after(...start);
    expect(currentTab(state)).toMatchObject({
      panes: ["1/main", "2/main"],
      layout: "even-horizontal",
      active: "1/main",
    });
    expect(state.tabs).toHaveLength(2);
    const again = after(...start, { type: "tab-chosen", index: 0 }, start.at(-1)!);
    expect(again.tabs).toHaveLength(2);
    expect(again.tab).toBe(1);
  });

  it("passes keys on to all its live panes while it is synchronized", () => {
    expect(synchronizedPanes(after(...start))).toEqual([]);
    const state = after(...start, { type: "synchronize-toggled" });
    expect(synchronizedPanes(state)).toEqual(["2/main"]);
    const ended: Action = {
      type: "pane-changed",
      id: "2/main",
      status: { kind: "lost", message: "" },
    };
    expect(synchronizedPanes(reduce(state, ended))).toEqual([]);
    expect(synchronizedPanes(reduce(state, { type: "synchronize-toggled" }))).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import type { MachineInfo } from "../../src/runtime/host/host.ts";
import { paneId } from "../../src/ui/layout/pane-id.ts";
import { currentTab, pageOf, visiblePanes } from "../../src/ui/selectors.ts";
import { type Action, initialState, reduce, type UiState } from "../../src/ui/state.ts";
import { statusView } from "../../src/ui/status-view.ts";
import { tabMarks } from "../../src/ui/tab-marks.ts";
import { tabsView } from "../../src/ui/tabs-view.ts";

function machine(pid: number): MachineInfo {
  return { id: String(pid), pid, name: `m${pid}`, state: "running", startedAt: pid };
}

/** That many machines, each with a live pane in the one tab. */
function panes(count: number, cols: number, rows: number, ...more: Action[]): UiState {
  const machines = Array.from({ length: count }, (_, index) => machine(index + 1));
  const live = machines.map(({ id }): Action => {
    return { type: "pane-changed", id: paneId(id), status: { kind: "live" } };
  });
  const all: Action[] = [{ type: "listed", machines, now: 0 }, ...live, ...more];
  return all.reduce(reduce, initialState(cols, rows, 0));
}

const synchronize: Action = { type: "synchronize-toggled" };
const highlight: Action = { type: "highlight-toggled" };
const page = (by: 1 | -1): Action => ({ type: "page-turned", by });
const shown = (state: UiState): string[] => visiblePanes(state).map(({ id }) => id);

describe("the marks of a tab", () => {
  it("say for as long as it lasts that keys go to several panes and that cells are marked", () => {
    expect(tabMarks(panes(3, 160, 40))).toEqual([]);
    const both = panes(3, 160, 40, synchronize, highlight);
    expect(tabMarks(both)).toEqual(["» keys go to 3 panes", "≠ differing cells"]);
    expect(statusView(reduce(both, { type: "attached" })).marks).toEqual(tabMarks(both));
    expect(tabMarks(panes(3, 60, 40, synchronize, highlight))).toEqual(["» 3", "≠"]);
    expect(tabMarks([synchronize, highlight].reduce(reduce, both))).toEqual([]);
  });

  it("count only the panes that keys can reach, also those that are not on the screen", () => {
    const lost: Action = {
      type: "pane-changed",
      id: "2/main",
      status: { kind: "lost", message: "" },
    };
    expect(tabMarks(panes(3, 160, 40, synchronize, lost))).toEqual(["» keys go to 2 panes"]);
    const zoomed = panes(3, 160, 40, synchronize, { type: "zoom-toggled" });
    expect(tabMarks(zoomed)).toEqual(["» keys go to 3 panes", "zoomed, 1 of 3 (z)"]);
  });

  it("stand in the tab line, also for a tab that is not looked at", () => {
    const state = panes(2, 160, 40, synchronize, { type: "tab-opened", withSelected: false });
    expect(tabsView(state, 130).tabs.map(({ text }) => text)).toEqual([" 1 m1 » ", " 2 empty "]);
  });

  it("leave the status line room for the way out on the narrowest screen", () => {
    const state = panes(6, 40, 12, synchronize, highlight);
    const { badge, marks, hints } = statusView(state);
    expect(marks).toEqual(["» 6", "≠", "1-4 of 6 (>)"]);
    expect([badge, ...marks].join("   ").length + 3 + hints.at(-1)!.key.length).toBeLessThan(40);
    expect(hints.at(-1)).toMatchObject({ hint: "quit" });
  });
});

describe("panes there is no room for", () => {
  it("are counted, and come by a key, around the end and back", () => {
    const first = panes(6, 40, 12);
    expect(pageOf(first)).toEqual({ first: 1, last: 4, count: 6 });
    const second = reduce(first, page(1));
    expect(shown(second)).toEqual(["5/main", "6/main"]);
    expect(tabMarks(second)).toEqual(["5-6 of 6 (>)"]);
    expect(shown(reduce(second, page(1)))).toEqual(shown(first));
    expect(shown(reduce(second, page(-1)))).toEqual(shown(first));
    expect(shown(reduce(first, page(-1)))).toEqual(shown(second));
  });

  it("are all reached in every layout, at every size", () => {
    for (const layout of ["grid", "even-horizontal", "main-vertical", "stack"] as const) {
      for (const [cols, rows] of [
        [40, 10],
        [60, 14],
        [80, 24],
        [200, 50],
      ] as const) {
        let state = panes(12, cols, rows, { type: "layout-chosen", layout });
        const seen = new Set(shown(state));
        for (let turns = 0; turns < 12; turns++) {
          state = reduce(state, page(1));
          for (const id of shown(state)) seen.add(id);
        }
        expect(seen.size, `${layout} ${cols}x${rows}`).toBe(12);
        expect(pageOf(state) === undefined, layout).toBe(shown(state).length === 12);
      }
    }
  });

  it("of a zoomed tab come one by one", () => {
    const state = panes(3, 120, 40, { type: "zoom-toggled" }, page(1));
    expect(state.selected).toBe("2/main");
    expect(tabMarks(state)).toEqual(["zoomed, 2 of 3 (z)"]);
  });
});

it("sets machines side by side, or in a grid where side by side not all are on the screen", () => {
  const compare: Action = {
    type: "compare-opened",
    panes: ["1/main", "2/main", "3/main", "4/main"],
  };
  expect(currentTab(panes(4, 160, 40, compare)).layout).toBe("even-horizontal");
  const narrow = panes(4, 80, 24, compare);
  expect(currentTab(narrow).layout).toBe("grid");
  expect(shown(narrow)).toHaveLength(4);
});

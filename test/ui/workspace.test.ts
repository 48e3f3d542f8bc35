import { describe, expect, it } from "vitest";
import type { MachineInfo } from "../../src/runtime/host/host.ts";
import { currentTab, sidebarItems, visiblePanes } from "../../src/ui/selectors.ts";
import { type Action, initialState, reduce, type UiState } from "../../src/ui/state.ts";

function machine(pid: number, more: Partial<MachineInfo> = {}): MachineInfo {
  return { id: String(pid), pid, name: `m${pid}`, state: "running", startedAt: pid, ...more };
}

const listed = (...machines: MachineInfo[]): Action => ({ type: "listed", machines, now: 0 });
const three = listed(machine(1), machine(2), machine(3));
const live = (id: string): Action => ({ type: "pane-changed", id, status: { kind: "live" } });

function after(...actions: Action[]): UiState {
  return actions.reduce(reduce, initialState(160, 45, 0));
}

describe("panes", () => {
  it("can show several sessions of a machine, which the sidebar lists under it", () => {
    const state = after(three, { type: "pane-opened", id: "1/2", split: "row" });
    expect(state.selected).toBe("1/2");
    expect(currentTab(state).panes).toEqual(["1/main", "1/2", "2/main", "3/main"]);
    expect(sidebarItems(state).map(({ pane }) => pane)).toEqual([
      "1/main",
      "1/2",
      "2/main",
      "3/main",
    ]);
  });

  it("go when the shell of a further session ends; the main one stays", () => {
    const state = after(
      three,
      { type: "pane-opened", id: "1/2", split: "row" },
      live("1/main"),
      live("1/2"),
      { type: "attached" },
      { type: "pane-changed", id: "1/2", status: { kind: "ended", code: 0 } },
    );
    expect(currentTab(state).panes).not.toContain("1/2");
    expect(state).toMatchObject({ selected: "1/main", attached: false });
    const main = reduce(state, {
      type: "pane-changed",
      id: "1/main",
      status: { kind: "ended", code: 0 },
    });
    expect(currentTab(main).panes).toContain("1/main");
  });

  it("can be closed and opened again while the machine runs on", () => {
    const closed = after(three, live("1/main"), { type: "pane-closed", id: "1/main" });
    expect(currentTab(closed).panes).toEqual(["2/main", "3/main"]);
    expect(closed.panes).toEqual({});
    expect(reduce(closed, three)).toMatchObject({ tabs: closed.tabs });
    const again = reduce(closed, { type: "pane-opened", id: "1/main" });
    expect(currentTab(again).panes).toContain("1/main");
  });

  it("show a fork with the session its source showed", () => {
    const fork = machine(9, { parentPid: 1 });
    const state = after(three, { type: "machine-added", machine: fork, session: "2" });
    expect(currentTab(state).panes).toEqual(["1/main", "9/2", "2/main", "3/main"]);
    expect(state.selected).toBe("9/2");
  });

  it("do not take the keyboard away when others come and go", () => {
    const typing = after(
      three,
      live("2/main"),
      { type: "selected", id: "2/main" },
      { type: "attached" },
    );
    const more = reduce(typing, listed(machine(1), machine(2), machine(3), machine(4)));
    expect(more).toMatchObject({ selected: "2/main", attached: true });
    const lost = reduce(reduce(more, live("4/main")), listed(machine(4)));
    expect(lost).toMatchObject({ selected: "4/main", attached: false });
    const fewer = reduce(more, listed(machine(2), machine(4)));
    expect(fewer).toMatchObject({ selected: "2/main", attached: true });
  });
});

describe("tabs", () => {
  const twoTabs = after(
    three,
    { type: "selected", id: "2/main" },
    {
      type: "tab-opened",
      withSelected: true,
    },
  );

  it("take the selected pane with them when asked to", () => {
    expect(twoTabs.tabs.map(({ panes }) => panes)).toEqual([["1/main", "3/main"], ["2/main"]]);
    expect(twoTabs).toMatchObject({ tab: 1, selected: "2/main" });
  });

  it("remember what was selected in them", () => {
    const back = reduce(twoTabs, { type: "tab-stepped", by: 1 });
    expect(back).toMatchObject({ tab: 0 });
    expect(visiblePanes(back).map(({ id }) => id)).toEqual(["1/main", "3/main"]);
    expect(reduce(back, { type: "tab-stepped", by: -1 }).selected).toBe("2/main");
  });

  it("come forward when a pane of theirs is selected in the sidebar", () => {
    const there = reduce(twoTabs, { type: "selected", id: "3/main" });
    expect(there).toMatchObject({ tab: 0, selected: "3/main" });
  });

  it("are closed with their last pane, which may be anywhere", () => {
    expect(reduce(twoTabs, listed(machine(1), machine(3)))).toMatchObject({ tab: 0 });
    const moved = reduce(twoTabs, { type: "pane-moved", tab: 0 });
    expect(moved.tabs.map(({ panes }) => panes)).toEqual([["1/main", "3/main", "2/main"]]);
    expect(reduce(moved, listed()).tabs).toHaveLength(1);
  });

  it("stay while they are new and empty, and take the machines made in them", () => {
    const empty = after(three, { type: "tab-opened", withSelected: false });
    expect(empty.tabs[1]).toMatchObject({ panes: [] });
    expect(reduce(empty, three).tabs).toHaveLength(2);
    const made = reduce(empty, { type: "machine-added", machine: machine(7) });
    expect(made.tabs[1]!.panes).toEqual(["7/main"]);
    expect(made.selected).toBe("7/main");
  });

  it("keep their panes' sessions when closed", () => {
    const closed = reduce(twoTabs, { type: "tab-closed" });
    expect(closed.tabs).toHaveLength(1);
    expect(sidebarItems(closed).map(({ pane }) => pane)).toContain("2/main");
  });
});

it("walks through the layouts and comes back from a shape made by hand", () => {
  const next: Action = { type: "layout-chosen", layout: "next" };
  expect(currentTab(after(three, next)).layout).toBe("even-horizontal");
  const by = after(three, { type: "pane-resized", direction: "row", by: 4 });
  expect(currentTab(by).shape).toBeDefined();
  const restored = reduce(by, next);
  expect(currentTab(restored)).toMatchObject({ layout: "grid", shape: undefined });
});

it("gives forks the family of their source, also after it has ended", () => {
  const state = after(three, listed(machine(1), machine(2), machine(8, { parentPid: 1 })));
  expect(state.families["8"]).toBe(state.families["1"]);
  expect(state.families["2"]).not.toBe(state.families["1"]);
  const orphans = reduce(state, listed(machine(8, { parentPid: 1 }), machine(9, { parentPid: 8 })));
  expect(orphans.families["9"]).toBe(state.families["8"]);
  const strangers = after(listed(machine(8, { parentPid: 1 }), machine(9, { parentPid: 1 })));
  expect(strangers.families["9"]).toBe(strangers.families["8"]);
});

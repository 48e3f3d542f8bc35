import { describe, expect, it } from "vitest";
import type { MachineInfo } from "../../src/runtime/host/host.ts";
import { paneId } from "../../src/ui/layout/pane-id.ts";
import { currentTab, keyMode, present } from "../../src/ui/selectors.ts";
import { type Action, initialState, reduce, type UiState } from "../../src/ui/state.ts";

function machine(pid: number, more: Partial<MachineInfo> = {}): MachineInfo {
  return { id: String(pid), pid, name: `m${pid}`, state: "running", startedAt: pid, ...more };
}

function after(...actions: Action[]): UiState {
  return actions.reduce(reduce, initialState(120, 40, 0));
}

const three: Action = { type: "listed", machines: [machine(1), machine(2), machine(3)], now: 5 };
const live = (id: string): Action => ({
  type: "pane-changed",
  id: paneId(id),
  status: { kind: "live" },
});

describe("the machines", () => {
  it("selects the first machine, and moves within the list", () => {
    expect(after(three).selected).toBe("1/main");
    const down: Action = { type: "moved", to: "next" };
    expect(after(three, down, down, down, down).selected).toBe("3/main");
    expect(
      after(three, { type: "moved", to: "last" }, { type: "moved", to: "previous" }).selected,
    ).toBe("2/main");
  });

  it("shows forks under what they were forked from, whatever order they come in", () => {
    const machines = [
      machine(9, { parentPid: 2, startedAt: 9 }),
      machine(3),
      machine(2),
      machine(5, { parentPid: 9, startedAt: 10 }),
      machine(7, { parentPid: 2, startedAt: 12 }),
    ];
    const rows = after({ type: "listed", machines, now: 0 }).machines;
    expect(rows.map((row) => row.branch + row.machine.id)).toEqual([
      "2",
      "├ 9",
      "│ └ 5",
      "└ 7",
      "3",
    ]);
  });

  it("does not believe in parents younger than their children, nor in rings", () => {
    const machines = [
      machine(1, { parentPid: 2 }),
      machine(2, { parentPid: 1 }),
      machine(3, { parentPid: 3 }),
    ];
    const rows = after({ type: "listed", machines, now: 0 }).machines;
    expect(rows.map((row) => row.machine.id).sort()).toEqual(["1", "2", "3"]);
  });

  it("selects the neighbour of a machine that went away, and says so", () => {
    const state = after(
      three,
      { type: "selected", id: "2/main" },
      { type: "listed", machines: [machine(1), machine(3)], now: 9 },
    );
    expect(state.selected).toBe("3/main");
    expect(state.notice?.text).toBe("m2 has ended");
    const none = reduce(state, { type: "listed", machines: [], now: 9 });
    expect(none.selected).toBeUndefined();
  });

  it("selects a new fork unless the user is typing", () => {
    const fork: Action = { type: "machine-added", machine: machine(8, { parentPid: 1 }) };
    expect(after(three, fork).selected).toBe("8/main");
    const typing = after(three, live("1"), { type: "attached" }, fork);
    expect(typing.selected).toBe("1/main");
    expect(typing.attached).toBe(true);
    expect(typing.machines.map((row) => row.machine.id)).toEqual(["1", "8", "2", "3"]);
    expect(currentTab(typing).panes).toEqual(["1/main", "8/main", "2/main", "3/main"]);
  });
});

describe("attachment", () => {
  it("needs a live session", () => {
    expect(after(three, { type: "attached" }).attached).toBe(false);
    expect(after(three, live("1"), { type: "attached" }).attached).toBe(true);
  });

  it("ends when the session or the machine ends", () => {
    const attached = after(three, live("1"), { type: "attached" });
    const ended: Action = {
      type: "pane-changed",
      id: "1/main",
      status: { kind: "ended", code: 0 },
    };
    expect(reduce(attached, ended).attached).toBe(false);
    expect(reduce(attached, { type: "listed", machines: [machine(2)], now: 0 }).attached).toBe(
      false,
    );
    const other: Action = {
      type: "pane-changed",
      id: "2/main",
      status: { kind: "ended", code: 0 },
    };
    expect(reduce(attached, other).attached).toBe(true);
  });

  it("follows the selection only onto another live session", () => {
    const attached = after(three, live("1"), live("2"), { type: "attached" });
    expect(reduce(attached, { type: "selected", id: "2/main" }).attached).toBe(true);
    expect(reduce(attached, { type: "selected", id: "3/main" }).attached).toBe(false);
  });
});

describe("dialogs and modes", () => {
  it("knows what the keyboard is for", () => {
    expect(keyMode(after(three))).toBe("navigate");
    expect(keyMode(after(three, live("1"), { type: "attached" }))).toBe("attached");
    expect(keyMode(after({ type: "dialog-opened", dialog: { kind: "help", scroll: 0 } }))).toBe(
      "reading",
    );
    expect(keyMode(after({ type: "resized", cols: 39, rows: 20 }))).toBe("too-small");
  });

  it("closes the question about a machine that is gone", () => {
    const asked = after(three, {
      type: "dialog-opened",
      dialog: { kind: "confirm", id: "2", name: "m2" },
    });
    expect(
      reduce(asked, { type: "listed", machines: [machine(1)], now: 0 }).dialog,
    ).toBeUndefined();
  });

  it("keeps cursors within what there is", () => {
    const open = after({ type: "dialog-opened", dialog: { kind: "picker", index: 0 } });
    expect(reduce(open, { type: "dialog-moved", by: -1, last: 3 }).dialog).toMatchObject({
      index: 0,
    });
    expect(reduce(open, { type: "dialog-moved", by: 9, last: 3 }).dialog).toMatchObject({
      index: 3,
    });
  });
});

it("offers only what can be done", () => {
  expect([...present(after())]).toEqual([]);
  const booting = after({ type: "listed", machines: [machine(1, { state: "booting" })], now: 0 });
  expect([...present(booting)]).toEqual(["machine"]);
  expect([...present(after(three, live("1")))].sort()).toEqual([
    "machine",
    "pane",
    "panes",
    "running",
  ]);
});

it("keeps a bounded log and never changes an old state", () => {
  let state = after(three);
  const frozen = JSON.stringify(state);
  const first = state;
  for (let at = 0; at < 500; at++) {
    state = reduce(state, { type: "noticed", entry: { at, level: "error", text: `e${at}` } });
  }
  expect(state.log.length).toBe(200);
  expect(state.notice?.text).toBe("e499");
  expect(JSON.stringify(first)).toBe(frozen);
});

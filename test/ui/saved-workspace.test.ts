import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MachineInfo } from "../../src/runtime/host/host.ts";
import { WorkspaceStore } from "../../src/ui/saved/store.ts";
import { parseWorkspace, savedWorkspace } from "../../src/ui/saved/workspace.ts";
import { type Action, initialState, reduce, type UiState } from "../../src/ui/state.ts";

function machine(pid: number, more: Partial<MachineInfo> = {}): MachineInfo {
  return { id: String(pid), pid, name: `m${pid}`, state: "running", startedAt: pid, ...more };
}

const listed = (...machines: MachineInfo[]): Action => ({ type: "listed", machines, now: 0 });

function after(...actions: Action[]): UiState {
  return actions.reduce(reduce, initialState(160, 45, 0));
}

/** m1 with a second session beside it; m2 in a tab of its own, looked at; m3 closed. */
const used = after(
  listed(machine(1), machine(2), machine(3)),
  { type: "pane-opened", id: "1/2", split: "row" },
  { type: "pane-closed", id: "3/main" },
  { type: "selected", id: "2/main" },
  { type: "tab-opened", withSelected: true, name: "second" },
  { type: "mute-toggled", machine: "2" },
);

const saved = (): string => JSON.stringify(savedWorkspace(used));

function restored(...machines: MachineInfo[]): UiState {
  return after({ type: "workspace-saved", saved: parseWorkspace(saved()) }, listed(...machines));
}

describe("a saved workspace", () => {
  it("comes back as it was: tabs, shapes, names, selection, closed panes", () => {
    const state = restored(machine(1), machine(2), machine(3));
    expect(state.tabs.map(({ panes, name }) => [name, panes])).toEqual([
      ["", ["1/main", "1/2"]],
      ["second", ["2/main"]],
    ]);
    expect(state).toMatchObject({ tab: 1, selected: "2/main" });
    expect(state.tabs[0]!.shape).toEqual(used.tabs[0]!.shape);
  });

  it("leaves out what does not run any more, and adds what is new", () => {
    const state = restored(machine(1), machine(9));
    expect(state.tabs.map(({ panes }) => panes)).toEqual([["1/main", "1/2", "9/main"]]);
    expect(restored().tabs).toMatchObject([{ panes: [] }]);
  });

  it("gives a machine its place back that was started again under its name", () => {
    const state = restored(machine(1), machine(70, { name: "m2" }));
    expect(state.tabs[1]).toMatchObject({ name: "second", panes: ["70/main"] });
  });

  it("knows whose alerts are not wanted, and forgets it with the machine", () => {
    expect(restored(machine(1), machine(2)).muted).toEqual(["2"]);
    expect(restored(machine(1), machine(70, { name: "m2" })).muted).toEqual(["70"]);
    expect(restored(machine(1)).muted).toEqual([]);
    expect(reduce(used, listed(machine(1))).muted).toEqual([]);
  });

  it("knows which tab compares machines, so that one of them can still be kept", () => {
    const opened = reduce(used, { type: "compare-opened", panes: ["1/main", "2/main"] });
    const text = JSON.stringify(savedWorkspace(opened));
    const again = after(
      { type: "workspace-saved", saved: parseWorkspace(text) },
      listed(machine(1), machine(2)),
    );
    expect(again.tabs.map(({ compares }) => compares ?? false)).toEqual([false, false, true]);
  });

  it("is refused when it is not as it should be", () => {
    const good = JSON.parse(saved());
    const bad: [string, unknown][] = [
      ["version", 2],
      ["tab", 7],
      ["tabs", []],
      ["machines", [{ pid: "1" }]],
      ["machines", [{ ...good.machines[0], muted: "yes" }]],
      ["tabs", [{ ...good.tabs[0], compares: "yes" }]],
      ["tabs", [{ ...good.tabs[0], layout: "circle" }]],
      ["tabs", [{ ...good.tabs[0], shape: { kind: "place" } }]],
      ["tabs", [{ ...good.tabs[0], panes: [good.tabs[0].panes[0], good.tabs[0].panes[0]] }]],
    ];
    for (const [key, value] of bad) {
      expect(() => parseWorkspace(JSON.stringify({ ...good, [key]: value })), key).toThrow();
    }
    for (let end = 0; end < saved().length; end += 7) {
      expect(() => parseWorkspace(saved().slice(0, end))).toThrow();
    }
  });
});

describe("the file it is in", () => {
  let directory: string;
  let problems: string[];
  const store = (): WorkspaceStore =>
    new WorkspaceStore({
      file: join(directory, "state", "workspace.json"),
      onProblem: (text) => problems.push(text),
    });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "machinen-saved-"));
    problems = [];
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it("is written whole, and read again", () => {
    expect(store().load()).toBeUndefined();
    const first = store();
    first.note(used);
    first.flush();
    expect(store().load()).toEqual(JSON.parse(saved()));
    expect(readdirSync(join(directory, "state"))).toEqual(["workspace.json"]);
    expect(problems).toEqual([]);
  });

  it("is reported and kept aside when it is bad", () => {
    const first = store();
    first.note(used);
    first.flush();
    const file = join(directory, "state", "workspace.json");
    writeFileSync(file, "{ nonsense");
    expect(store().load()).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("workspace.json cannot be used");
    expect(readFileSync(`${file}.bad`, "utf8")).toBe("{ nonsense");
  });

  it("is not written before there is something to save, and a full disk is told once", () => {
    const early = store();
    early.note(initialState(80, 24, 0));
    early.flush();
    expect(readdirSync(directory)).toEqual([]);
    writeFileSync(join(directory, "state"), "a file is in the way");
    const blocked = store();
    for (let i = 0; i < 3; i++) {
      blocked.note(used);
      blocked.flush();
    }
    expect(problems).toHaveLength(1);
  });
});

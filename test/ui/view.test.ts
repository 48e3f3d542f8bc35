import { createElement } from "react";
import { describe, expect, it } from "vitest";
import type { MachineInfo } from "../../src/runtime/host/host.ts";
import { Sidebar } from "../../src/ui/chrome/Sidebar.tsx";
import { ChromeSurface } from "../../src/ui/chrome/surface.ts";
import { formatAge, formatBytes } from "../../src/ui/format.ts";
import { parseFrame } from "../../src/ui/screen/frame.ts";
import { Grid } from "../../src/ui/screen/grid.ts";
import { sidebarView } from "../../src/ui/sidebar-view.ts";
import { isAnimated } from "../../src/ui/spinner.ts";
import { initialState, reduce, type UiState } from "../../src/ui/state.ts";
import { fitHints, statusView } from "../../src/ui/status-view.ts";
import { wrapText } from "../../src/ui/text.ts";

function machine(pid: number, more: Partial<MachineInfo> = {}): MachineInfo {
  return {
    id: `${pid}`,
    pid,
    name: `m${pid}`,
    state: "running",
    startedAt: 0,
    rssBytes: 9e7,
    ...more,
  };
}

function withMachines(machines: MachineInfo[], now = 125_000): UiState {
  return reduce(initialState(120, 40, 0), { type: "listed", machines, now });
}

describe("the sidebar", () => {
  it("lines up names, ages and memory whatever their length", () => {
    const machines = [machine(1), machine(2, { name: "a-name-much-too-long-for-the-column" })];
    const view = sidebarView(withMachines(machines), 30, 20);
    const widths = view.rows.map((row) => `${row.left} ${row.right}`.length);
    expect(new Set(widths)).toEqual(new Set([28]));
    expect(view.rows[0]).toMatchObject({ right: "2m  86M", tone: "selected" });
    expect(view.rows[1]!.left).toContain("…");
  });

  it("keeps the selected machine in sight of a long list", () => {
    const machines = Array.from({ length: 100 }, (_, index) => machine(index + 1));
    const state = reduce(withMachines(machines), { type: "selected", id: "77/main" });
    const view = sidebarView(state, 30, 20);
    expect(view.rows.map((row) => row.id)).toContain("77/main");
    expect(view.rows.length).toBeLessThanOrEqual(18);
  });

  it("shows work once: at its machine when there is one", () => {
    const task = { id: 1, label: "starting a machine", starts: true, shown: true };
    const alone = reduce(withMachines([machine(1)]), { type: "task-began", task });
    expect(
      sidebarView(alone, 30, 20).rows.some((row) => row.left.includes("starting a machine…")),
    ).toBe(true);
    const listed = reduce(alone, {
      type: "listed",
      machines: [machine(1), machine(2, { state: "booting" })],
      now: 0,
    });
    expect(sidebarView(listed, 30, 20).rows.length).toBe(2);
    expect(isAnimated(listed)).toBe(true);
  });

  it("is drawn by Ink into a grid of its own", () => {
    const surface = new ChromeSurface();
    const grid = new Grid(30, 6);
    for (const name of ["web", "db"]) {
      const view = sidebarView(withMachines([machine(1, { name })]), 30, 6);
      parseFrame(surface.draw(createElement(Sidebar, { view }), 30, 6), grid, 0, 0, 30, 6);
      expect(grid.rowText(0)).toBe(" machinen  1 running");
      expect(grid.rowText(2)).toContain(`▸● ${name}`);
    }
    surface.close();
  });
});

describe("the status line", () => {
  it("keeps help and quit when there is little room", () => {
    const hints = ["attach", "new", "fork", "help", "quit"].map((hint) => ({
      key: hint[0]!,
      hint,
      ...(["help", "quit"].includes(hint) && { lasting: true as const }),
    }));
    expect(fitHints(hints, 100)).toEqual(hints);
    expect(fitHints(hints, 26).map(({ hint }) => hint)).toEqual(["attach", "help", "quit"]);
    expect(fitHints(hints, 1).length).toBe(1);
  });

  it("names the machine that has the keyboard", () => {
    const live = reduce(withMachines([machine(1)]), {
      type: "pane-changed",
      id: "1/main",
      status: { kind: "live" },
    });
    expect(statusView(live)).toMatchObject({ badge: "machines", tone: "navigate" });
    expect(statusView(reduce(live, { type: "attached" }))).toMatchObject({
      badge: "m1",
      tone: "attached",
    });
  });
});

it("breaks long texts at spaces, and words that are too long anywhere", () => {
  expect(wrapText("one two three", 8)).toEqual(["one two", "three"]);
  expect(wrapText("x".repeat(20), 8)).toEqual(["xxxxxxxx", "xxxxxxxx", "xxxx"]);
  expect(wrapText("", 8)).toEqual([""]);
});

it("formats ages and memory", () => {
  expect([0, 59_999, 60_000, 7_200_000, 200_000_000].map(formatAge)).toEqual([
    "new",
    "50s",
    "1m",
    "2h",
    "2d",
  ]);
  expect([undefined, 0, 9e7, 2e9].map(formatBytes)).toEqual(["", "0M", "86M", "1.9G"]);
});

import { expect, test } from "vitest";
import { changeLines, machineLine } from "../../src/cli/list-changes.ts";
import type { MachineInfo } from "../../src/runtime/host/host.ts";

function machine(pid: number, more: Partial<MachineInfo> = {}): MachineInfo {
  return { id: `${pid}`, pid, name: `m${pid}`, state: "running", startedAt: 0, ...more };
}

test("every change of the machines is told in a line of its own, and nothing without one", () => {
  const one = machine(1);
  expect(changeLines([], [])).toEqual([]);
  expect(changeLines([one], [{ ...one, rssBytes: 5 }])).toEqual([]);
  expect(changeLines([], [one, machine(2, { state: "booting" })])).toEqual([
    "m1 is there",
    "m2 is there, booting",
  ]);
  expect(changeLines([one], [one, machine(3, { parentName: "m1" })])).toEqual([
    "m3 is there, a fork of m1",
  ]);
  expect(changeLines([machine(2, { state: "booting" })], [machine(2)])).toEqual(["m2 is running"]);
  expect(changeLines([one], [machine(1, { name: "web", state: "paused" })])).toEqual([
    "m1 is now called web",
    "web is paused",
  ]);
  expect(changeLines([one, machine(2)], [machine(2)])).toEqual(["m1 has ended"]);
  // A pid that stands for another machine would be another id: names alone are no identity.
  expect(changeLines([one], [machine(9, { name: "m1" })])).toEqual(["m1 is there", "m1 has ended"]);
});

test("a machine is told with its state and age", () => {
  expect(machineLine(machine(1, { state: "paused" }), 65_000)).toBe("m1, paused, 1m");
});

import { expect, it } from "vitest";
import { emptyView } from "../../src/ui/empty-view.ts";
import { initialState, reduce } from "../../src/ui/state.ts";

const listed = (...names: string[]) =>
  reduce(initialState(80, 24, 0), {
    type: "listed",
    machines: names.map((name, index) => ({
      id: `${index + 1}`,
      pid: index + 1,
      name,
      state: "running",
      startedAt: index,
    })),
    now: 0,
  });

it("says why a tab shows nothing, and the user's keys that change it", () => {
  expect(emptyView(initialState(80, 24, 0))).toEqual(["looking for machines…"]);
  expect(emptyView(listed())).toContain("No machine is running.");
  const empty = reduce(listed("web"), { type: "tab-opened", withSelected: false, name: "" });
  expect(emptyView(empty)).toEqual([
    "This tab is empty.",
    "",
    "Enter  show web here and type into it",
    "n      start a new machine here",
    "X      close the tab",
  ]);
  const keymap = empty.keymap.map((row) =>
    row.command === "close-tab" ? { ...row, keys: ["ctrl-w"] } : row,
  );
  expect(emptyView({ ...empty, keymap }).at(-1)).toBe("Ctrl-W  close the tab");
});

import { printable } from "../runtime/printable.ts";
import type { CommandId } from "./commands.ts";
import { describeKey } from "./keymap.ts";
import { paneName } from "./names.ts";
import type { UiState } from "./state.ts";

/** What stands where a tab has no panes: why, and the user's keys that change it. */
export function emptyView(state: UiState): string[] {
  if (!state.listed) return ["looking for machines…"];
  if (state.machines.length === 0) {
    return withKeys(state, "No machine is running.", [
      ["new", "start a new machine"],
      ["restore", "restore a snapshot"],
      ["quit", "quit"],
    ]);
  }
  const { selected, tabs } = state;
  const rows: [CommandId, string][] = [];
  if (selected !== undefined) {
    rows.push(["attach", `show ${printable(paneName(state, selected))} here and type into it`]);
  }
  rows.push(["new", "start a new machine here"]);
  if (tabs.length > 1) rows.push(["close-tab", "close the tab"]);
  return withKeys(state, "This tab is empty.", rows);
}

function withKeys(state: UiState, why: string, rows: readonly [CommandId, string][]): string[] {
  const keys = rows.flatMap(([command, text]) => {
    const key = state.keymap.find((row) => row.command === command && row.mode === "navigate");
    return key ? [{ key: describeKey(key.keys[0]!), text }] : [];
  });
  const width = Math.max(0, ...keys.map(({ key }) => key.length));
  return [why, "", ...keys.map(({ key, text }) => `${key.padEnd(width)}  ${text}`)];
}

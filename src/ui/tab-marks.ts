import { describeKey } from "./keymap.ts";
import type { Tab } from "./layout/tab.ts";
import { currentTab, keyMode, pageOf, synchronizedPanes } from "./selectors.ts";
import type { UiState } from "./state.ts";

/** What a tab does that its panes alone do not show. */
const signs = { synchronized: "»", highlighted: "≠" } as const;

/** As they stand in the tab line and on the border of each of its panes; empty for most tabs. */
export function tabSigns(tab: Tab): string {
  const several = tab.panes.length > 1;
  return [
    several && tab.synchronized && signs.synchronized,
    several && tab.highlighted && signs.highlighted,
  ]
    .filter(Boolean)
    .join("");
}

/** Below this many columns the marks of the status line are as short as can be. */
const wideCols = 80;

/**
 * What the status line says for as long as it is so: that keys go to several panes, that differing
 * cells are marked, and that there are panes which are not on the screen.
 */
export function tabMarks(state: UiState): string[] {
  const tab = currentTab(state);
  const wide = state.cols >= wideCols;
  const marks: string[] = [];
  const others = synchronizedPanes(state).length;
  if (others > 0) {
    const count = `${others + 1}`;
    marks.push(`${signs.synchronized} ${wide ? `keys go to ${count} panes` : count}`);
  }
  if (tab.highlighted && tab.panes.length > 1) {
    marks.push(wide ? `${signs.highlighted} differing cells` : signs.highlighted);
  }
  const page = pageMark(state, wide);
  return page === undefined ? marks : [...marks, page];
}

function pageMark(state: UiState, wide: boolean): string | undefined {
  const page = pageOf(state);
  const { zoomed } = currentTab(state);
  if (!page) return undefined;
  const { first, last, count } = page;
  const range = first === last ? `${first}` : `${first}-${last}`;
  const position = `${wide && !zoomed ? "panes " : ""}${range} of ${count}`;
  const key = keyMode(state) === "navigate" ? keyFor(state, zoomed ? "zoom" : "next-page") : "";
  return `${zoomed ? "zoomed, " : ""}${position}${key && ` (${key})`}`;
}

function keyFor(state: UiState, command: "zoom" | "next-page"): string {
  const binding = state.keymap.find((row) => row.mode === "navigate" && row.command === command);
  return binding ? describeKey(binding.keys[0]!) : "";
}

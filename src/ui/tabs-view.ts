import { printable } from "../runtime/printable.ts";
import type { Tab } from "./layout/tab.ts";
import { paneName } from "./names.ts";
import { currentTab } from "./selectors.ts";
import type { UiState } from "./state.ts";
import { tabSigns } from "./tab-marks.ts";

export interface TabLabel {
  index: number;
  /** The column in the tab line, and the text as it stands there. */
  x: number;
  text: string;
  current: boolean;
}

export interface TabsView {
  tabs: TabLabel[];
  /** Stands at the right end: how the tab's panes are arranged. */
  layout: string;
}

const nameLimit = 20;

/** The tab line: as many tabs as fit, always with the one that is looked at. */
export function tabsView(state: UiState, width: number): TabsView {
  const current = currentTab(state);
  const layout = current.shape ? `${current.layout}*` : current.layout;
  const texts = state.tabs.map((tab, index) => {
    const signs = tabSigns(tab);
    return ` ${index + 1} ${tabName(state, tab)} ${signs && `${signs} `}`;
  });
  const room = width - layout.length - 2;
  let first = 0;
  while (first < state.tab && length(texts.slice(first, state.tab + 1)) > room) first++;
  let x = 0;
  const tabs: TabLabel[] = [];
  for (const [index, text] of texts.entries()) {
    if (index < first || x + text.length > room) continue;
    tabs.push({ index, x, text, current: index === state.tab });
    x += text.length;
  }
  return { tabs, layout };
}

/** The tab's own name, else that of its active pane. */
export function tabName(state: UiState, tab: Tab): string {
  const shown = tab.name || (tab.active === undefined ? "empty" : paneName(state, tab.active));
  const letters = [...printable(shown)];
  return letters.length > nameLimit
    ? `${letters.slice(0, nameLimit - 1).join("")}…`
    : letters.join("");
}

function length(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

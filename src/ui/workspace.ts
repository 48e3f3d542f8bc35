import type { Border } from "./layout/borders.ts";
import { type LayoutName, layoutNames } from "./layout/named.ts";
import { neighbour, type Side } from "./layout/neighbour.ts";
import type { PaneId } from "./layout/pane-id.ts";
import { placePanes } from "./layout/place-panes.ts";
import type { Direction } from "./layout/shape.ts";
import {
  addPane,
  emptyTab,
  moveTabBorder,
  removePane,
  resizePane,
  rotatePanes,
  splitPane,
  swapPane,
  type Tab,
} from "./layout/tab.ts";
import {
  areasOf,
  currentTab,
  pageOf,
  selectedIsShown,
  sidebarItems,
  visiblePanes,
} from "./selectors.ts";
import type { UiState } from "./state.ts";

/** What can be done to tabs, their panes, and the selection. */
export type WorkspaceAction =
  | { type: "selected"; id: PaneId }
  | { type: "moved"; to: "next" | "previous" | "first" | "last" }
  | { type: "focus-moved"; side: Side }
  | { type: "pane-cycled"; by: 1 | -1 }
  /** Selects the nearest pane that is not on the screen; beyond the last one comes the first. */
  | { type: "page-turned"; by: 1 | -1 }
  | { type: "zoom-toggled" }
  /** Shows a session beside the active pane; `split` divides that one by hand. */
  | { type: "pane-opened"; id: PaneId; split?: Direction }
  | { type: "pane-closed"; id: PaneId }
  | { type: "layout-chosen"; layout: LayoutName | "next" | "previous" }
  | { type: "panes-swapped"; by: 1 | -1 }
  | { type: "panes-rotated"; by: 1 | -1 }
  | { type: "pane-resized"; direction: Direction; by: number }
  | { type: "border-moved"; border: Border; position: number }
  /** A new tab; with `withSelected` the selected pane moves into it. */
  | { type: "tab-opened"; withSelected: boolean; name?: string }
  | { type: "tab-chosen"; index: number }
  | { type: "tab-stepped"; by: 1 | -1 }
  | { type: "tab-renamed"; name: string }
  | { type: "pane-moved"; tab: number }
  | { type: "tab-closed" }
  | { type: "sidebar-toggled" }
  /** Panes side by side in a tab of their own; one that shows just these is looked at again. */
  | { type: "compare-opened"; panes: readonly PaneId[] }
  | { type: "synchronize-toggled" }
  | { type: "highlight-toggled" };

export function reduceWorkspace(state: UiState, action: WorkspaceAction): UiState {
  switch (action.type) {
    case "selected":
      return select(state, action.id);
    case "moved":
      return select(state, sidebarNeighbour(state, action.to));
    case "focus-moved": {
      const from = currentTab(state).active;
      const to = from && neighbour(visiblePanes(state), from, action.side);
      return select(state, to);
    }
    case "pane-cycled": {
      const { panes, active } = currentTab(state);
      const at = active === undefined ? -1 : panes.indexOf(active);
      return select(state, panes[(at + action.by + panes.length) % panes.length]);
    }
    case "page-turned": {
      const page = pageOf(state);
      const { panes } = currentTab(state);
      // Pages are counted from 1: `last` is the index of the pane behind the page.
      const to = page && (action.by === 1 ? page.last : page.first - 2);
      return to === undefined ? state : select(state, panes.at(to % panes.length));
    }
    case "zoom-toggled":
      return selectedIsShown(state)
        ? changeTab(state, (tab) => ({ ...tab, zoomed: !tab.zoomed }))
        : state;
    case "pane-opened":
      return openPane(state, action.id, action.split);
    case "pane-closed":
      return closePane(state, action.id, [state.tab]);
    case "layout-chosen":
      return changeTab(state, (tab) => chooseLayout(tab, action.layout));
    case "panes-swapped":
      return changeTab(state, (tab) => swapPane(tab, action.by));
    case "panes-rotated":
      return changeTab(state, (tab) => rotatePanes(tab, action.by));
    case "pane-resized":
      return changeTab(state, (tab, area) => resizePane(tab, action.direction, action.by, area));
    case "border-moved":
      return changeTab(state, (tab, area) =>
        moveTabBorder(tab, action.border, action.position, area),
      );
    case "tab-opened":
      return openTab(state, action.withSelected, action.name ?? "");
    case "tab-chosen":
      return chooseTab(state, action.index);
    case "tab-stepped":
      return chooseTab(state, (state.tab + action.by + state.tabs.length) % state.tabs.length);
    case "tab-renamed":
      return changeTab(state, (tab) => ({ ...tab, name: action.name }));
    case "pane-moved":
      return movePane(state, action.tab);
    case "tab-closed":
      return closeTab(state);
    case "sidebar-toggled":
      return { ...state, sidebar: !state.sidebar };
    case "compare-opened":
      return openCompare(state, action.panes);
    case "synchronize-toggled":
      return changeTab(state, (tab) => ({ ...tab, synchronized: !tab.synchronized }));
    case "highlight-toggled":
      return changeTab(state, (tab) => ({ ...tab, highlighted: !tab.highlighted }));
  }
}

/** Selects a pane and looks at the tab that has it; attached keys follow only onto a live session. */
export function select(state: UiState, id: PaneId | undefined): UiState {
  if (id === undefined || !sidebarItems(state).some(({ pane }) => pane === id)) return state;
  const holder = currentTab(state).panes.includes(id)
    ? state.tab
    : state.tabs.findIndex(({ panes }) => panes.includes(id));
  const next: UiState = { ...state, selected: id, tab: holder < 0 ? state.tab : holder };
  if (holder < 0) return { ...next, attached: false };
  return settle(changeTab(next, (tab) => ({ ...tab, active: id })));
}

/** Attached keys need a live session on the screen. */
export function canAttach(state: UiState): boolean {
  return (
    state.selected !== undefined &&
    state.panes[state.selected]?.kind === "live" &&
    selectedIsShown(state)
  );
}

/** Takes a pane out of some tabs (default: all); a tab without panes is closed. */
export function closePane(state: UiState, id: PaneId, from?: readonly number[]): UiState {
  const tabs = state.tabs.map((tab, index) =>
    !from || from.includes(index) ? removePane(tab, id) : tab,
  );
  const changed = tabs.map((tab, index) => tab !== state.tabs[index]);
  // Keys meant for what has gone must not reach another machine.
  const attached = state.attached && state.selected !== id;
  return dropEmptyTabs({ ...state, tabs, attached }, changed);
}

/** Adds a pane to the tab that is looked at, behind a given one. */
export function addToTab(state: UiState, id: PaneId, beside: PaneId | undefined): UiState {
  const { active } = currentTab(state);
  return changeTab(state, (tab, area) => {
    const added = addPane(tab, id, beside, area);
    return { ...added, active: active ?? id };
  });
}

function openPane(state: UiState, id: PaneId, split: Direction | undefined): UiState {
  const next = changeTab(state, (tab, area) =>
    split ? splitPane(tab, id, split, area) : addPane(tab, id, tab.active, area),
  );
  return select(next, id);
}

function chooseLayout(tab: Tab, wanted: LayoutName | "next" | "previous"): Tab {
  const count = layoutNames.length;
  const at = layoutNames.indexOf(tab.layout);
  // What was made by hand comes before the layout it was made from.
  const step = wanted === "previous" ? -1 : tab.shape ? 0 : 1;
  const layout =
    wanted === "next" || wanted === "previous" ? layoutNames[(at + step + count) % count]! : wanted;
  return { ...tab, layout, shape: undefined, zoomed: false };
}

function openTab(state: UiState, withSelected: boolean, name: string): UiState {
  const id = Math.max(0, ...state.tabs.map((tab) => tab.id)) + 1;
  const layout = currentTab(state).layout;
  const { selected } = state;
  const moved = withSelected && selectedIsShown(state) && selected !== undefined;
  const before = moved
    ? changeTab(state, (tab) => removePane(tab, selected))
    : { ...state, attached: false };
  const tab = emptyTab(id, layout, name);
  const filled = moved ? { ...tab, panes: [selected], active: selected } : tab;
  const tabs = [
    ...before.tabs.slice(0, state.tab + 1),
    filled,
    ...before.tabs.slice(state.tab + 1),
  ];
  return settle(
    dropEmptyTabs({ ...before, tabs, tab: state.tab + 1 }, [
      ...tabs.map((_, index) => index === state.tab),
    ]),
  );
}

function openCompare(state: UiState, panes: readonly PaneId[]): UiState {
  const known = state.tabs.findIndex(
    (tab) =>
      tab.compares &&
      tab.panes.length === panes.length &&
      panes.every((id) => tab.panes.includes(id)),
  );
  if (known >= 0) return chooseTab(state, known);
  const active = panes.find((id) => id === state.selected) ?? panes[0];
  const opened = openTab(state, false, "compare");
  return settle({
    ...changeTab(opened, (tab, area) => {
      const beside: Tab = { ...tab, panes, active, layout: "even-horizontal", compares: true };
      const allFit = placePanes(beside, area).length === panes.length;
      return allFit ? beside : { ...beside, layout: "grid" };
    }),
    selected: active,
  });
}

function chooseTab(state: UiState, index: number): UiState {
  const tab = state.tabs[index];
  if (!tab || index === state.tab) return state;
  return settle({ ...state, tab: index, selected: tab.active ?? state.selected });
}

function movePane(state: UiState, target: number): UiState {
  const { selected } = state;
  if (selected === undefined || !selectedIsShown(state)) return state;
  if (!state.tabs[target] || target === state.tab) return state;
  const area = areasOf(state).panes;
  const tabs = state.tabs.map((tab, index) =>
    index === state.tab
      ? removePane(tab, selected)
      : index === target
        ? addPane(tab, selected, tab.active, area)
        : tab,
  );
  const emptied = tabs.map((_, index) => index === state.tab);
  return settle(dropEmptyTabs({ ...state, tabs, tab: target }, emptied));
}

function closeTab(state: UiState): UiState {
  if (state.tabs.length === 1) return state;
  const tabs = state.tabs.filter((_, index) => index !== state.tab);
  const tab = Math.max(0, state.tab - 1);
  return settle({ ...state, tabs, tab, selected: tabs[tab]!.active ?? state.selected });
}

/** Tabs that have just lost their last pane go; one tab always stays. */
function dropEmptyTabs(state: UiState, changed: readonly boolean[]): UiState {
  const current = currentTab(state);
  let tabs = state.tabs.filter((tab, index) => tab.panes.length > 0 || !changed[index]);
  if (tabs.length === 0) tabs = [current];
  const at = tabs.indexOf(current);
  if (tabs.length === state.tabs.length) return settle({ ...state, tabs });
  const tab = at >= 0 ? at : Math.min(Math.max(0, state.tab - 1), tabs.length - 1);
  const selected = at >= 0 ? state.selected : (tabs[tab]!.active ?? state.selected);
  return settle({ ...state, tabs, tab, selected });
}

/** A selection that has left its tab follows the tab; keys go only where they can arrive. */
function settle(state: UiState): UiState {
  const { active } = currentTab(state);
  const lost = state.selected !== undefined && !selectedIsShown(state) && active !== undefined;
  const next = lost ? { ...state, selected: active } : state;
  return next.attached && !canAttach(next) ? { ...next, attached: false } : next;
}

function changeTab(
  state: UiState,
  change: (tab: Tab, area: ReturnType<typeof areasOf>["panes"]) => Tab,
): UiState {
  const before = currentTab(state);
  const after = change(before, areasOf(state).panes);
  if (after === before) return state;
  return { ...state, tabs: state.tabs.map((tab) => (tab === before ? after : tab)) };
}

function sidebarNeighbour(
  state: UiState,
  to: "next" | "previous" | "first" | "last",
): PaneId | undefined {
  const items = sidebarItems(state);
  const last = items.length - 1;
  const at = items.findIndex(({ pane }) => pane === state.selected);
  const index =
    to === "first" ? 0 : to === "last" ? last : to === "next" ? Math.min(at + 1, last) : at - 1;
  return items[Math.max(0, index)]?.pane;
}

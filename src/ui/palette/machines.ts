import fuzzysort from "fuzzysort";
import { paneName } from "../names.ts";
import { type SidebarItem, sidebarItems } from "../selectors.ts";
import type { UiState } from "../state.ts";

/** Machines and sessions whose name or tags match what is typed, best first; all for nothing typed. */
export function matchingItems(state: UiState, text: string): SidebarItem[] {
  const named = sidebarItems(state).map((item) => ({
    item,
    words: [
      paneName(state, item.pane),
      ...(state.tags[item.machine.id] ?? []).map((tag) => `#${tag}`),
    ].join(" "),
  }));
  const wanted = text.trim();
  if (wanted === "") return named.map(({ item }) => item);
  return fuzzysort
    .go(wanted, named, { key: "words", limit: 0, threshold: 0 })
    .map(({ obj }) => obj.item);
}

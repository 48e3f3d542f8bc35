import type { PaneId } from "./pane-id.ts";
import type { PlacedPane } from "./place-panes.ts";

export type Side = "left" | "right" | "up" | "down";

/** The pane that lies beside another one on the screen: the one with the longest common edge. */
export function neighbour(
  placed: readonly PlacedPane[],
  from: PaneId,
  side: Side,
): PaneId | undefined {
  const here = placed.find(({ id }) => id === from)?.rect;
  if (!here) return placed[0]?.id;
  const across = side === "left" || side === "right";
  let best: { id: PaneId; gap: number; common: number } | undefined;
  for (const { id, rect } of placed) {
    const gap = {
      left: here.x - (rect.x + rect.width),
      right: rect.x - (here.x + here.width),
      up: here.y - (rect.y + rect.height),
      down: rect.y - (here.y + here.height),
    }[side];
    const common = across
      ? overlap(here.y, here.height, rect.y, rect.height)
      : overlap(here.x, here.width, rect.x, rect.width);
    if (id === from || gap < 0 || common <= 0) continue;
    if (!best || gap < best.gap || (gap === best.gap && common > best.common)) {
      best = { id, gap, common };
    }
  }
  return best?.id;
}

function overlap(a: number, aSize: number, b: number, bSize: number): number {
  return Math.min(a + aSize, b + bSize) - Math.max(a, b);
}

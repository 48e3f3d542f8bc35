import type { Snapshot } from "../terminal/snapshot.ts";
import type { Point } from "./cell-text.ts";
import type { CopyMode } from "./copy-mode.ts";

/**
 * Resizing rewraps the pane's lines, so copy mode takes a new picture; cursor and selection stay on
 * their characters: each is remembered as a distance from the start of its line of text.
 */
export function resizeCopyMode(mode: CopyMode, resize: () => Snapshot): void {
  const { snapshot, places } = mode;
  const starts = places.map(({ row, x }) => {
    const first = snapshot.logicalLine(row).row;
    return { first, distance: (row - first) * snapshot.cols + x };
  });
  const tracked = snapshot.track(starts.map(({ first }) => first));
  const next = resize();
  const [cursor, anchor] = tracked.resolve().map((row, i): Point | undefined => {
    if (row === undefined) return undefined;
    const { distance } = starts[i]!;
    return { row: row + Math.floor(distance / next.cols), x: distance % next.cols };
  });
  mode.replace(next, cursor, anchor);
}

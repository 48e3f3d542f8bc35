import { Grid } from "../../../src/ui/screen/grid.ts";
import { PaneTerminal, type PaneTerminalOptions } from "../../../src/ui/terminal/pane-terminal.ts";

export const text = (bytes: Uint8Array | null) =>
  bytes === null ? null : Buffer.from(bytes).toString("latin1");

/** A small pane, its answers, and what a grid shows of it. */
export function open(options: Partial<PaneTerminalOptions> = {}) {
  const replies: string[] = [];
  const pane = new PaneTerminal({
    cols: 20,
    rows: 5,
    onReply: (bytes) => replies.push(text(bytes) ?? ""),
    ...options,
  });
  const grid = new Grid(pane.cols, pane.rows);
  const screen = (scrollOffset = 0) => {
    pane.copyTo(grid, 0, 0, grid.cols, grid.rows, { scrollOffset });
    return Array.from({ length: grid.rows }, (_, y) => grid.rowText(y))
      .join("\n")
      .trimEnd();
  };
  return { pane, replies, grid, screen };
}

import type { Rect } from "./rect.ts";

export interface ScreenAreas {
  /** Too small for anything but a message. */
  tooSmall: boolean;
  /** Absent when zoomed or when the terminal is narrow. */
  sidebar?: Rect;
  /** One line over the panes; absent when there is nothing to choose from. */
  tabs?: Rect;
  /** Where the panes stand. */
  panes: Rect;
  status: Rect;
}

export interface ScreenContent {
  cols: number;
  rows: number;
  zoomed: boolean;
  /** More than one tab is open. */
  tabs: boolean;
  /** The user wants the sidebar where there is room for it. */
  sidebar: boolean;
}

export const minimumCols = 40;
export const minimumRows = 10;

/** The areas of the screen. */
export function screenAreas(content: ScreenContent): ScreenAreas {
  const { cols, rows, zoomed } = content;
  const status = { x: 0, y: rows - 1, width: cols, height: 1 };
  const tooSmall = cols < minimumCols || rows < minimumRows;
  const x = zoomed || !content.sidebar || cols < 60 ? 0 : cols >= 120 ? 30 : 24;
  const y = content.tabs ? 1 : 0;
  return {
    tooSmall,
    sidebar: x > 0 ? { x: 0, y: 0, width: x, height: rows - 1 } : undefined,
    tabs: content.tabs ? { x, y: 0, width: cols - x, height: 1 } : undefined,
    panes: { x, y, width: cols - x, height: rows - 1 - y },
    status,
  };
}

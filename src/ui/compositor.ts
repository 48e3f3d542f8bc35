import { printable } from "../runtime/printable.ts";
import { Chrome } from "./chrome/chrome.ts";
import { markDifferences } from "./compare/highlight.ts";
import { drawCopyMode } from "./copy-mode/draw.ts";
import { dialogView } from "./dialogs/dialog-views.ts";
import { type PaneId, paneTarget } from "./layout/pane-id.ts";
import type { PlacedPane } from "./layout/place-panes.ts";
import { centered, type Rect } from "./layout/rect.ts";
import { paneName } from "./names.ts";
import { drawBanner, drawFrame, drawMessage } from "./panes/frame.ts";
import type { SessionPane } from "./panes/session-pane.ts";
import { BG_DIM } from "./screen/cell.ts";
import { Grid } from "./screen/grid.ts";
import { type ColourDepth, type Cursor, Painter } from "./screen/painter.ts";
import { areasOf, currentTab, machineOf, synchronizedPanes, visiblePanes } from "./selectors.ts";
import type { PaneStatus, UiState } from "./state.ts";
import { tabSigns } from "./tab-marks.ts";
import type { Theme } from "./theme.ts";

export interface CompositorOptions {
  depth: ColourDepth;
  ascii: boolean;
  theme: Theme;
  /** A chrome change was put off: draw again in so many milliseconds. */
  onPostponed(ms: number): void;
}

/** Puts chrome and panes into one grid and turns it into bytes for the outer terminal. */
export class Compositor {
  private readonly options: CompositorOptions;
  private readonly grid = new Grid(1, 1);
  private readonly painter: Painter;
  private readonly chrome: Chrome;
  private arrangement = "";

  constructor(options: CompositorOptions) {
    this.options = options;
    this.painter = new Painter({ depth: options.depth });
    this.chrome = new Chrome(options);
  }

  /** The outer terminal's content is unknown now. */
  invalidate(): void {
    this.arrangement = "";
    this.painter.invalidate();
  }

  paint(state: UiState, panes: ReadonlyMap<PaneId, SessionPane>): Uint8Array {
    const { cols, rows } = state;
    if (this.grid.cols !== cols || this.grid.rows !== rows) {
      this.grid.resize(cols, rows);
      this.painter.invalidate();
    }
    const layout = areasOf(state);
    if (layout.tooSmall) {
      this.arrangement = "";
      this.grid.fill(0, 0, cols, rows);
      this.drawTooSmall(cols, rows);
      return this.painter.paint(this.grid, null);
    }
    const placed = visiblePanes(state);
    const dialog = dialogView(state);
    const box =
      dialog &&
      centered({ x: 0, y: 0, width: cols, height: rows - 1 }, dialog.width, dialog.height);
    const moved = this.rearrange(JSON.stringify([layout, placed, box]));
    const cursor = this.drawPanes(state, panes, placed, moved);
    if (placed.length === 0) this.drawEmpty(state, layout.panes);
    this.chrome.draw(this.grid, state, layout, dialog && box && { view: dialog, rect: box });
    return this.painter.paint(this.grid, dialog ? null : cursor);
  }

  close(): void {
    this.chrome.close();
  }

  /** Rectangles have moved: what they leave behind must not stay. */
  private rearrange(arrangement: string): boolean {
    if (arrangement === this.arrangement) return false;
    this.arrangement = arrangement;
    this.grid.fill(0, 0, this.grid.cols, this.grid.rows);
    return true;
  }

  private drawPanes(
    state: UiState,
    panes: ReadonlyMap<PaneId, SessionPane>,
    placed: readonly PlacedPane[],
    moved: boolean,
  ): Cursor | null {
    let cursor: Cursor | null = null;
    const typedInto = new Set(state.attached ? [state.selected, ...synchronizedPanes(state)] : []);
    const signs = tabSigns(currentTab(state));
    for (const { id, rect, frame, inside } of placed) {
      const pane = panes.get(id);
      const selected = id === state.selected;
      const attached = typedInto.has(id);
      drawFrame(this.grid, rect, {
        name: paneName(state, id),
        family: familyOf(state, id),
        theme: this.options.theme,
        title: pane?.terminal.title ?? "",
        mark: [signs, frameMark(attached, pane)].filter(Boolean).join(" "),
        tone: attached ? "attached" : selected ? "selected" : "idle",
        frame,
        ascii: this.options.ascii,
        colour: this.options.depth !== "none",
      });
      if (inside.height === 0) continue;
      if (pane?.copyMode) {
        const colour = this.options.depth !== "none";
        const copyCursor = drawCopyMode(pane.copyMode, this.grid, inside, colour);
        if (selected) cursor = copyCursor;
        continue;
      }
      // Marks of the last frame go with a fresh copy.
      const fresh = moved || currentTab(state).highlighted === true;
      const status = state.panes[id] ?? { kind: "waiting" };
      this.drawInside(inside, status, pane, fresh, machineOf(state, id)?.local);
      if (selected && attached && pane && pane.scrollOffset === 0)
        cursor = placeCursor(pane, inside);
    }
    if (currentTab(state).highlighted) {
      markDifferences(
        this.grid,
        placed.flatMap(({ inside }) => (inside.height > 0 ? [inside] : [])),
      );
    }
    return cursor;
  }

  private drawInside(
    inside: Rect,
    status: PaneStatus,
    pane: SessionPane | undefined,
    moved: boolean,
    local: string | undefined,
  ): void {
    if (!pane || status.kind === "waiting" || status.kind === "connecting") {
      this.grid.fill(inside.x, inside.y, inside.width, inside.height);
      drawMessage(this.grid, inside, status.kind === "waiting" ? "booting…" : "connecting…");
      return;
    }
    pane.terminal.copyTo(this.grid, inside.x, inside.y, inside.width, inside.height, {
      scrollOffset: pane.scrollOffset,
      force: moved,
    });
    if (status.kind === "ended") {
      drawBanner(this.grid, inside, endOf(status.code, local));
    } else if (status.kind === "lost") {
      drawBanner(this.grid, inside, `No connection, trying again: ${status.message}`);
    }
  }

  private drawEmpty(state: UiState, area: Rect): void {
    const lines = state.listed
      ? ["No machine is running.", "", "n  start a new machine", "r  restore a snapshot", "q  quit"]
      : ["looking for machines…"];
    const width = Math.max(...lines.map((line) => line.length));
    const x = area.x + Math.max(0, Math.floor((area.width - width) / 2));
    const y = area.y + Math.max(0, Math.floor((area.height - lines.length) / 2));
    this.grid.fill(area.x, area.y, area.width, area.height);
    lines.forEach((line, index) => {
      this.grid.drawText(x, y + index, line, index === 0 ? {} : { bg: BG_DIM });
    });
  }

  private drawTooSmall(cols: number, rows: number): void {
    const lines = ["machinen needs 40x10,", `this is ${cols}x${rows}.`];
    const y = Math.max(0, Math.floor((rows - lines.length) / 2));
    lines.forEach((line, index) => {
      this.grid.drawText(
        Math.max(0, Math.floor((cols - line.length) / 2)),
        y + index,
        line,
        {},
        cols,
      );
    });
  }
}

function familyOf(state: UiState, id: PaneId): number | undefined {
  return state.families[paneTarget(id).machine];
}

function frameMark(attached: boolean, pane: SessionPane | undefined): string {
  if (pane?.copyMode) return pane.copyMode.mark;
  if (pane && pane.scrollOffset > 0) return `↑ ${pane.scrollOffset}`;
  return attached ? "attached" : "";
}

/** `local`: the program of a pane that is no machine. */
function endOf(code: number | null, local: string | undefined): string {
  const status = code === null ? "" : ` with code ${code}`;
  if (local === undefined) return `The shell ended${status}. Enter starts a new one.`;
  return `${printable(local)} ended${status}. Enter starts it again, x closes it.`;
}

function placeCursor(pane: SessionPane, inside: Rect): Cursor | null {
  const { cursor } = pane.terminal;
  if (cursor.x >= inside.width || cursor.y >= inside.height) return null;
  return { ...cursor, x: inside.x + cursor.x, y: inside.y + cursor.y };
}

import { createElement } from "react";
import { Dialog } from "./chrome/Dialog.tsx";
import { Sidebar } from "./chrome/Sidebar.tsx";
import { StatusLine } from "./chrome/StatusLine.tsx";
import { ChromeSurface } from "./chrome/surface.ts";
import {
  centered,
  layoutScreen,
  type PlacedPane,
  paneInside,
  placePanes,
  type Rect,
} from "./layout.ts";
import { machineName } from "./names.ts";
import { drawBanner, drawFrame, drawMessage } from "./panes/frame.ts";
import type { SessionPane } from "./panes/session-pane.ts";
import { BG_DIM } from "./screen/cell.ts";
import { parseFrame } from "./screen/frame.ts";
import { Grid } from "./screen/grid.ts";
import { type ColourDepth, type Cursor, Painter } from "./screen/painter.ts";
import { machinesOf, type PaneStatus, type UiState } from "./state.ts";
import { dialogView, sidebarView, statusView } from "./view.ts";

/** Chrome is redrawn at most this often; panes do not wait for it. */
const chromeMs = 80;

export interface CompositorOptions {
  depth: ColourDepth;
  ascii: boolean;
  /** A chrome change was put off: draw again in so many milliseconds. */
  onPostponed(ms: number): void;
}

/** One piece of chrome: its last view, and the cells Ink made of it. */
class ChromePart {
  private readonly surface = new ChromeSurface();
  private readonly grid = new Grid(1, 1);
  private drawn = "";

  /** Whether the view differs from what is drawn. */
  stale(view: unknown, rect: Rect): boolean {
    return this.drawn !== JSON.stringify([view, rect.width, rect.height]);
  }

  draw(view: unknown, element: React.ReactElement, rect: Rect): void {
    this.drawn = JSON.stringify([view, rect.width, rect.height]);
    const frame = this.surface.draw(element, rect.width, rect.height);
    this.grid.resize(rect.width, rect.height);
    parseFrame(frame, this.grid, 0, 0, rect.width, rect.height);
  }

  copyTo(grid: Grid, rect: Rect): void {
    grid.copyFrom(this.grid, 0, 0, rect.width, rect.height, rect.x, rect.y);
  }

  close(): void {
    this.surface.close();
  }
}

/** Puts chrome and panes into one grid and turns it into bytes for the outer terminal. */
export class Compositor {
  private readonly options: CompositorOptions;
  private readonly grid = new Grid(1, 1);
  private readonly painter: Painter;
  private readonly sidebar = new ChromePart();
  private readonly status = new ChromePart();
  private readonly dialog = new ChromePart();
  private arrangement = "";
  private chromeAt = 0;

  constructor(options: CompositorOptions) {
    this.options = options;
    this.painter = new Painter({ depth: options.depth });
  }

  /** The outer terminal's content is unknown now. */
  invalidate(): void {
    this.arrangement = "";
    this.painter.invalidate();
  }

  paint(state: UiState, panes: ReadonlyMap<string, SessionPane>): Uint8Array {
    const { cols, rows } = state;
    if (this.grid.cols !== cols || this.grid.rows !== rows) {
      this.grid.resize(cols, rows);
      this.painter.invalidate();
    }
    const layout = layoutScreen(cols, rows, state.zoomed);
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
    this.drawChrome(
      state,
      layout.sidebar,
      layout.status,
      dialog && box && { view: dialog, rect: box },
    );
    return this.painter.paint(this.grid, dialog ? null : cursor);
  }

  close(): void {
    for (const part of [this.sidebar, this.status, this.dialog]) part.close();
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
    panes: ReadonlyMap<string, SessionPane>,
    placed: readonly PlacedPane[],
    moved: boolean,
  ): Cursor | null {
    let cursor: Cursor | null = null;
    for (const { id, rect } of placed) {
      const machine = machinesOf(state).find((candidate) => candidate.id === id);
      if (!machine) continue;
      const pane = panes.get(id);
      const selected = id === state.selected;
      const attached = selected && state.attached;
      drawFrame(this.grid, rect, {
        name: machineName(machine),
        title: pane?.terminal.title ?? "",
        mark: frameMark(attached, pane),
        tone: attached ? "attached" : selected ? "selected" : "idle",
        zoomed: state.zoomed,
        ascii: this.options.ascii,
        colour: this.options.depth !== "none",
      });
      const inside = paneInside(rect, state.zoomed);
      this.drawInside(inside, state.panes[id] ?? { kind: "waiting" }, pane, moved);
      if (attached && pane && pane.scrollOffset === 0) cursor = placeCursor(pane, inside);
    }
    return cursor;
  }

  private drawInside(
    inside: Rect,
    status: PaneStatus,
    pane: SessionPane | undefined,
    moved: boolean,
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
      const code = status.code === null ? "" : ` with code ${status.code}`;
      drawBanner(this.grid, inside, `The shell ended${code}. Enter starts a new one.`);
    } else if (status.kind === "lost") {
      drawBanner(this.grid, inside, `No connection, trying again: ${status.message}`);
    }
  }

  private drawChrome(
    state: UiState,
    sidebarRect: Rect | undefined,
    statusRect: Rect,
    dialog: { view: NonNullable<ReturnType<typeof dialogView>>; rect: Rect } | undefined,
  ): void {
    const sidebar = sidebarRect && sidebarView(state, sidebarRect.width, sidebarRect.height);
    const status = statusView(state);
    const sidebarStale = sidebar && sidebarRect && this.sidebar.stale(sidebar, sidebarRect);
    const statusStale = this.status.stale(status, statusRect);
    const wait = this.chromeAt + chromeMs - performance.now();
    if (wait > 0 && (sidebarStale || statusStale)) {
      this.options.onPostponed(wait);
    } else if (sidebarStale || statusStale) {
      this.chromeAt = performance.now();
      if (sidebarStale) {
        this.sidebar.draw(sidebar, createElement(Sidebar, { view: sidebar }), sidebarRect);
      }
      if (statusStale) {
        const element = createElement(StatusLine, { view: status, cols: statusRect.width });
        this.status.draw(status, element, statusRect);
      }
    }
    if (dialog && this.dialog.stale(dialog.view, dialog.rect)) {
      const view = { ...dialog.view, width: dialog.rect.width, height: dialog.rect.height };
      const element = createElement(Dialog, { view, ascii: this.options.ascii });
      this.dialog.draw(dialog.view, element, dialog.rect);
    }
    if (sidebarRect) this.sidebar.copyTo(this.grid, sidebarRect);
    this.status.copyTo(this.grid, statusRect);
    if (dialog) this.dialog.copyTo(this.grid, dialog.rect);
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

/** The panes on the screen in this state; also what the mouse hits. */
export function visiblePanes(state: UiState): PlacedPane[] {
  const layout = layoutScreen(state.cols, state.rows, state.zoomed);
  const ids = state.machines.map((row) => row.machine.id);
  return layout.tooSmall ? [] : placePanes(layout.panes, ids, state.selected, state.zoomed);
}

function frameMark(attached: boolean, pane: SessionPane | undefined): string {
  if (pane && pane.scrollOffset > 0) return `↑ ${pane.scrollOffset}`;
  return attached ? "attached" : "";
}

function placeCursor(pane: SessionPane, inside: Rect): Cursor | null {
  const { cursor } = pane.terminal;
  if (cursor.x >= inside.width || cursor.y >= inside.height) return null;
  return { ...cursor, x: inside.x + cursor.x, y: inside.y + cursor.y };
}

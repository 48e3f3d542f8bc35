import { printable } from "../runtime/printable.ts";
import { Chrome } from "./chrome/chrome.ts";
import { markDifferences } from "./compare/highlight.ts";
import { drawCopyMode } from "./copy-mode/draw.ts";
import { emptyView } from "./empty-view.ts";
import type { PaneId } from "./layout/pane-id.ts";
import type { Rect } from "./layout/rect.ts";
import { drawBanner, drawFrame, drawMessage } from "./panes/frame.ts";
import type { SessionPane } from "./panes/session-pane.ts";
import { BG_DIM } from "./screen/cell.ts";
import { Grid } from "./screen/grid.ts";
import { type ColourDepth, type Cursor, Painter } from "./screen/painter.ts";
import { type PlannedPane, planScreen, type ScreenPlan } from "./screen-plan.ts";
import type { UiState } from "./state.ts";
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
  private plan: ScreenPlan | undefined;
  private arrangement = "";
  /** What the frame of each pane on the screen says. */
  private readonly frames = new Map<PaneId, string>();

  constructor(options: CompositorOptions) {
    this.options = options;
    this.painter = new Painter({ depth: options.depth });
    this.chrome = new Chrome(options);
  }

  /** The outer terminal's content is unknown now. */
  invalidate(): void {
    this.plan = undefined;
    this.arrangement = "";
    this.painter.invalidate();
  }

  paint(state: UiState, panes: ReadonlyMap<PaneId, SessionPane>): Uint8Array {
    const { cols, rows } = state;
    if (this.grid.cols !== cols || this.grid.rows !== rows) {
      this.grid.resize(cols, rows);
      this.painter.invalidate();
    }
    const sameState = state === this.plan?.state;
    const plan = sameState ? this.plan! : planScreen(state);
    const { areas, dialog } = plan;
    this.plan = plan;
    if (areas.tooSmall) {
      this.arrangement = "";
      this.grid.fill(0, 0, cols, rows);
      this.drawTooSmall(cols, rows);
      return this.painter.paint(this.grid, null);
    }
    const moved = !sameState && this.rearrange(plan);
    if (!sameState) this.frames.clear();
    const cursor = this.drawPanes(plan, panes, moved);
    if (plan.panes.length === 0) this.drawEmpty(state, areas.panes);
    this.chrome.draw(this.grid, state, areas, moved, dialog);
    return this.painter.paint(this.grid, dialog ? null : cursor);
  }

  close(): void {
    this.chrome.close();
  }

  /** Rectangles have moved: what they leave behind must not stay. */
  private rearrange({ areas, panes, dialog }: ScreenPlan): boolean {
    const rects = panes.map(({ id, rect, frame, inside }) => [id, rect, frame, inside]);
    const arrangement = JSON.stringify([areas, rects, dialog?.rect]);
    if (arrangement === this.arrangement) return false;
    this.arrangement = arrangement;
    this.grid.fill(0, 0, this.grid.cols, this.grid.rows);
    return true;
  }

  private drawPanes(
    plan: ScreenPlan,
    panes: ReadonlyMap<PaneId, SessionPane>,
    moved: boolean,
  ): Cursor | null {
    let cursor: Cursor | null = null;
    for (const planned of plan.panes) {
      const { id, inside, selected, attached } = planned;
      const pane = panes.get(id);
      this.drawFrameOf(planned, pane, plan.signs);
      if (inside.height === 0) continue;
      if (pane?.copyMode) {
        const colour = this.options.depth !== "none";
        const copyCursor = drawCopyMode(pane.copyMode, this.grid, inside, colour);
        if (selected) cursor = copyCursor;
        continue;
      }
      // Marks of the last frame go with a fresh copy.
      this.drawInside(planned, pane, moved || plan.highlighted);
      if (selected && attached && pane && pane.scrollOffset === 0)
        cursor = placeCursor(pane, inside);
    }
    if (plan.highlighted) {
      markDifferences(
        this.grid,
        plan.panes.flatMap(({ inside }) => (inside.height > 0 ? [inside] : [])),
      );
    }
    return cursor;
  }

  /** Unless it stands there already. */
  private drawFrameOf(planned: PlannedPane, pane: SessionPane | undefined, signs: string): void {
    const { id, name, family, rect, frame, selected, attached } = planned;
    const title = pane?.terminal.title ?? "";
    const mark = [signs, frameMark(attached, pane)].filter(Boolean).join(" ");
    const says = `${mark}\n${title}`;
    if (this.frames.get(id) === says) return;
    this.frames.set(id, says);
    drawFrame(this.grid, rect, {
      name,
      family,
      theme: this.options.theme,
      title,
      mark,
      tone: attached ? "attached" : selected ? "selected" : "idle",
      frame,
      ascii: this.options.ascii,
      colour: this.options.depth !== "none",
    });
  }

  private drawInside(
    { inside, status, local }: PlannedPane,
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
      drawBanner(this.grid, inside, endOf(status.code, local));
    } else if (status.kind === "lost") {
      drawBanner(this.grid, inside, `No connection, trying again: ${status.message}`);
    }
  }

  private drawEmpty(state: UiState, area: Rect): void {
    const lines = emptyView(state);
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

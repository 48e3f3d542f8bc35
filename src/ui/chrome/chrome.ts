import { createElement } from "react";
import type { DialogView } from "../dialogs/dialog-view.ts";
import type { Rect } from "../layout/rect.ts";
import type { ScreenAreas } from "../layout/screen-areas.ts";
import type { Grid } from "../screen/grid.ts";
import { sidebarView } from "../sidebar-view.ts";
import type { UiState } from "../state.ts";
import { statusView } from "../status-view.ts";
import { tabsView } from "../tabs-view.ts";
import type { Theme } from "../theme.ts";
import { Dialog } from "./Dialog.tsx";
import { ChromePart } from "./part.ts";
import { Sidebar } from "./Sidebar.tsx";
import { StatusLine } from "./StatusLine.tsx";
import { TabLine } from "./TabLine.tsx";
import { ThemeContext } from "./theme-context.ts";

/** Chrome is redrawn at most this often; panes do not wait for it. */
const chromeMs = 80;

export interface ChromeOptions {
  ascii: boolean;
  theme: Theme;
  /** A change was put off: draw again in so many milliseconds. */
  onPostponed(ms: number): void;
}

/** Everything on the screen that is no pane. */
export class Chrome {
  private readonly options: ChromeOptions;
  private readonly sidebar = new ChromePart();
  private readonly tabs = new ChromePart();
  private readonly status = new ChromePart();
  private readonly dialog = new ChromePart();
  private drawnAt = 0;
  /** What the grid shows, unless something of it was put off. */
  private shown: UiState | undefined;

  constructor(options: ChromeOptions) {
    this.options = options;
  }

  /** `moved`: the grid is blank. */
  draw(
    grid: Grid,
    state: UiState,
    areas: ScreenAreas,
    moved: boolean,
    dialog: { view: DialogView; rect: Rect } | undefined,
  ): void {
    if (moved || state !== this.shown) this.drawParts(grid, state, areas);
    if (dialog) this.drawDialog(grid, dialog.view, dialog.rect);
  }

  close(): void {
    for (const part of [this.sidebar, this.tabs, this.status, this.dialog]) part.close();
  }

  private drawParts(grid: Grid, state: UiState, areas: ScreenAreas): void {
    const stale = this.staleParts(state, areas);
    const wait = this.drawnAt + chromeMs - performance.now();
    this.shown = state;
    if (stale.length > 0 && wait > 0) {
      this.shown = undefined;
      this.options.onPostponed(wait);
    } else if (stale.length > 0) {
      this.drawnAt = performance.now();
      for (const drawPart of stale) drawPart();
    }
    if (areas.sidebar) this.sidebar.copyTo(grid, areas.sidebar);
    if (areas.tabs) this.tabs.copyTo(grid, areas.tabs);
    this.status.copyTo(grid, areas.status);
  }

  /** How to draw each part whose view has changed. */
  private staleParts(state: UiState, areas: ScreenAreas): (() => void)[] {
    const stale: (() => void)[] = [];
    const consider = <T>(
      part: ChromePart,
      rect: Rect | undefined,
      view: (rect: Rect) => T,
      element: (view: T, rect: Rect) => React.ReactElement,
    ): void => {
      if (!rect) return;
      const shown = view(rect);
      if (part.stale(shown, rect))
        stale.push(() => part.draw(shown, this.themed(element(shown, rect)), rect));
    };
    consider(
      this.sidebar,
      areas.sidebar,
      ({ width, height }) => sidebarView(state, width, height),
      (view) => createElement(Sidebar, { view }),
    );
    consider(
      this.tabs,
      areas.tabs,
      ({ width }) => tabsView(state, width),
      (view, { width }) => createElement(TabLine, { view, cols: width }),
    );
    consider(
      this.status,
      areas.status,
      () => statusView(state),
      (view, { width }) => createElement(StatusLine, { view, cols: width }),
    );
    return stale;
  }

  private themed(element: React.ReactElement): React.ReactElement {
    return createElement(ThemeContext.Provider, { value: this.options.theme }, element);
  }

  /** A dialog answers keys: it never waits. */
  private drawDialog(grid: Grid, view: DialogView, rect: Rect): void {
    if (this.dialog.stale(view, rect)) {
      const sized = { ...view, width: rect.width, height: rect.height };
      const element = createElement(Dialog, { view: sized, ascii: this.options.ascii });
      this.dialog.draw(view, this.themed(element), rect);
    }
    this.dialog.copyTo(grid, rect);
  }
}

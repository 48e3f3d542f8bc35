import type { CommandId } from "./commands.ts";
import type { CopyController } from "./copy-mode/controller.ts";
import { TextPointer } from "./copy-mode/text-pointer.ts";
import type { MouseInput } from "./input/events.ts";
import { type Border, borderAt } from "./layout/borders.ts";
import type { PaneId } from "./layout/pane-id.ts";
import type { PlacedPane } from "./layout/place-panes.ts";
import { contains } from "./layout/rect.ts";
import { tabBorders } from "./layout/tab.ts";
import { wheelAsArrows } from "./panes/key-encoding.ts";
import type { SessionPane } from "./panes/session-pane.ts";
import { areasOf, currentTab, keyMode, visiblePanes } from "./selectors.ts";
import { sidebarTop, sidebarView } from "./sidebar-view.ts";
import type { Action, UiState } from "./state.ts";
import { tabsView } from "./tabs-view.ts";

export interface PointerContext {
  readonly state: UiState;
  readonly copy: CopyController;
  dispatch(action: Action): void;
  pane(id: PaneId): SessionPane | undefined;
  run(command: CommandId): void;
  expectEcho(): void;
}

interface Drag {
  border: Border;
  /** From the pointer to the border's position. */
  offset: number;
  moved: boolean;
}

const wheelLines = 3;

/** Sends what the mouse does to where it belongs: the chrome, a border, or a guest. */
export class Pointer {
  private readonly context: PointerContext;
  /** The pane in which a button is down. */
  private grabbed: PaneId | undefined;
  private dragged: Drag | undefined;
  private readonly text: TextPointer;

  constructor(context: PointerContext) {
    this.context = context;
    this.text = new TextPointer(context.copy);
  }

  handle(event: MouseInput): void {
    const { context } = this;
    const mode = keyMode(context.state);
    if (mode === "too-small") return;
    if (context.state.dialog) {
      if (event.button === "wheel-up") context.run("dialog-up");
      if (event.button === "wheel-down") context.run("dialog-down");
      return;
    }
    const placed = visiblePanes(context.state).find(({ rect }) => contains(rect, event.x, event.y));
    if (this.dragged && event.action !== "press") this.drag(this.dragged, event, placed);
    else if (this.grabbed !== undefined && event.action !== "press") this.dragInGuest(event);
    else if (this.text.holds && event.action !== "press") this.text.follow(event);
    else if (!placed) this.chromeClick(event);
    else if (event.button.startsWith("wheel")) this.wheel(placed, event);
    else this.pointAt(placed, event);
  }

  /** What was held is held no more: the session it belonged to has ended. */
  release(): void {
    this.grabbed = undefined;
    this.text.release();
  }

  /** Inside the attached pane the mouse is the guest's; elsewhere a click is ours. */
  private pointAt(placed: PlacedPane, event: MouseInput): void {
    const { state } = this.context;
    const inside = contains(placed.inside, event.x, event.y);
    const copyMode = this.context.pane(placed.id)?.copyMode;
    const own = state.attached && placed.id === state.selected && !copyMode;
    if (own && inside && this.toGuest(placed, event)) {
      if (event.action === "press") this.grabbed = placed.id;
    } else if (inside && isLeftPress(event) && this.pressText(placed, event)) {
      this.context.dispatch({ type: "selected", id: placed.id });
    } else if (own && inside) {
      // The guest's, which does not want it.
    } else if (event.action === "press" && event.button === "left") {
      const border = borderAt(this.borders(), event.x, event.y);
      if (!border || contains(placed.inside, event.x, event.y)) this.click(placed, event);
      else this.dragged = { border, offset: border.position - along(border, event), moved: false };
    }
  }

  private pressText(placed: PlacedPane, event: MouseInput): boolean {
    const { context } = this;
    const selected = placed.id === context.state.selected;
    return this.text.press(placed, event, context.pane(placed.id)?.copyMode, selected);
  }

  /** A border that is let go where it was taken was meant as a click. */
  private drag(drag: Drag, event: MouseInput, placed: PlacedPane | undefined): void {
    const { border, offset } = drag;
    const position = along(border, event) + offset;
    const now = this.borders().find((other) => isSame(other, border));
    if (now && position !== now.position) {
      drag.moved = true;
      this.context.dispatch({ type: "border-moved", border: now, position });
    }
    if (event.action !== "release") return;
    this.dragged = undefined;
    if (!drag.moved && placed) this.click(placed, event);
  }

  private borders(): Border[] {
    const { state } = this.context;
    return tabBorders(currentTab(state), areasOf(state).panes);
  }

  /** A button that went down in a guest belongs to it until it is up, wherever the pointer goes. */
  private dragInGuest(event: MouseInput): void {
    const placed = visiblePanes(this.context.state).find(({ id }) => id === this.grabbed);
    if (event.action === "release") this.grabbed = undefined;
    if (placed) this.toGuest(placed, event);
  }

  private click(placed: PlacedPane, event: MouseInput): void {
    const { context } = this;
    context.dispatch({ type: "notice-cleared" });
    if (placed.id !== context.state.selected) context.dispatch({ type: "selected", id: placed.id });
    else if (event.y === placed.rect.y) context.run("zoom");
    else if (!context.state.attached) context.run("attach");
  }

  private wheel(placed: PlacedPane, event: MouseInput): void {
    const pane = this.context.pane(placed.id);
    if (!pane || (!pane.copyMode && this.toGuest(placed, event))) return;
    const up = event.button === "wheel-up";
    if (!up && event.button !== "wheel-down") return;
    const { alternateScreen, applicationCursorKeys } = pane.terminal.modes;
    if (pane.copyMode) {
      pane.copyMode.scrollBy(up ? wheelLines : -wheelLines);
      pane.changed();
    } else if (!alternateScreen) pane.scrollBy(up ? wheelLines : -wheelLines);
    else if (this.context.state.attached && placed.id === this.context.state.selected) {
      pane.send(wheelAsArrows(up, wheelLines, applicationCursorKeys));
    }
  }

  /** False when the program did not ask for this mouse event. */
  private toGuest(placed: PlacedPane, event: MouseInput): boolean {
    const pane = this.context.pane(placed.id);
    if (!pane?.live || event.shift) return false;
    const { inside } = placed;
    const x = Math.max(0, Math.min(inside.width - 1, event.x - inside.x));
    const y = Math.max(0, Math.min(inside.height - 1, event.y - inside.y));
    const bytes = pane.terminal.encodeMouse({ ...event, x, y });
    if (!bytes) return false;
    this.context.expectEcho();
    pane.send(bytes);
    return true;
  }

  private chromeClick(event: MouseInput): void {
    const { state } = this.context;
    const { sidebar, tabs } = areasOf(state);
    if (event.action !== "press") return;
    if (tabs && contains(tabs, event.x, event.y)) {
      const at = event.x - tabs.x;
      const label = tabsView(state, tabs.width).tabs.find(
        ({ x, text }) => at >= x && at < x + text.length,
      );
      if (label) this.context.dispatch({ type: "tab-chosen", index: label.index });
    } else if (sidebar && contains(sidebar, event.x, event.y)) {
      const view = sidebarView(state, sidebar.width, sidebar.height);
      const id = view.rows[event.y - sidebar.y - sidebarTop]?.id;
      if (id !== undefined) this.context.dispatch({ type: "selected", id });
    }
  }
}

function isLeftPress(event: MouseInput): boolean {
  return event.action === "press" && event.button === "left";
}

function along(border: Border, event: MouseInput): number {
  return border.direction === "row" ? event.x : event.y;
}

/** Whether it is the same border, wherever it stands by now. */
function isSame(a: Border, b: Border): boolean {
  return a.after === b.after && a.path.join() === b.path.join();
}

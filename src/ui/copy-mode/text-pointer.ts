import type { MouseInput } from "../input/events.ts";
import type { PaneId } from "../layout/pane-id.ts";
import type { PlacedPane } from "../layout/place-panes.ts";
import type { Point } from "./cell-text.ts";
import type { CopyController } from "./controller.ts";
import type { CopyMode } from "./copy-mode.ts";
import type { SelectionKind } from "./selection.ts";

/** Clicks on one cell this close together are one double or triple click. */
const multiClickMs = 400;
const kinds: readonly SelectionKind[] = ["characters", "words", "lines"];

interface Held {
  placed: PlacedPane;
  x: number;
  y: number;
  kind: SelectionKind;
  /** Where the selection began, once there is one. */
  anchor?: Point;
}

/** Selects a pane's text by the mouse: a drag, a double or triple click; copied when it is let go. */
export class TextPointer {
  private readonly copy: CopyController;
  private held: Held | undefined;
  private last: { id: PaneId; x: number; y: number; at: number; count: number } | undefined;

  constructor(copy: CopyController) {
    this.copy = copy;
  }

  get holds(): boolean {
    return this.held !== undefined;
  }

  /**
   * The left button went down inside a pane. True when nobody else is to act on it. A click that
   * only selects its pane is not the first of several.
   */
  press(
    placed: PlacedPane,
    event: MouseInput,
    mode: CopyMode | undefined,
    selected: boolean,
  ): boolean {
    const x = event.x - placed.inside.x;
    const y = event.y - placed.inside.y;
    const count = selected ? this.countClick(placed.id, x, y) : 1;
    if (!selected) this.last = undefined;
    const kind = event.alt ? "rectangle" : kinds[count - 1]!;
    this.held = { placed, x, y, kind };
    if (count > 1) this.begin(this.held);
    else if (mode) {
      mode.clearSelection();
      mode.moveTo(mode.pointAt(x, y));
      this.copy.changed(placed.id);
    }
    return count > 1 || mode !== undefined;
  }

  /** The pointer moved, or the button came up. */
  follow(event: MouseInput): void {
    const { held } = this;
    if (!held) return;
    const { inside, id } = held.placed;
    const x = Math.max(0, Math.min(inside.width - 1, event.x - inside.x));
    const y = event.y - inside.y;
    if (event.action === "release") {
      this.held = undefined;
      if (held.anchor) this.copy.accept(id);
    } else if (held.anchor || x !== held.x || y !== held.y) {
      const mode = this.begin(held);
      // Beyond an edge the text moves under the pointer.
      if (y < 0) mode?.scrollBy(1);
      if (y >= inside.height) mode?.scrollBy(-1);
      mode?.moveTo(mode.pointAt(x, Math.max(0, Math.min(inside.height - 1, y))));
      this.copy.changed(id);
    }
  }

  release(): void {
    this.held = undefined;
  }

  private begin(held: Held): CopyMode | undefined {
    const mode = this.copy.enter(held.placed.id);
    if (mode && !held.anchor) {
      held.anchor = mode.pointAt(held.x, held.y);
      mode.select(held.kind, held.anchor);
      mode.moveTo(held.anchor);
      this.copy.changed(held.placed.id);
    }
    return mode;
  }

  private countClick(id: PaneId, x: number, y: number): number {
    const at = performance.now();
    const { last } = this;
    const again =
      last && last.id === id && last.x === x && last.y === y && at - last.at < multiClickMs;
    const count = again ? (last.count % kinds.length) + 1 : 1;
    this.last = { id, x, y, at, count };
    return count;
  }
}

import type { Rect } from "../layout/rect.ts";
import { parseFrame } from "../screen/frame.ts";
import { Grid } from "../screen/grid.ts";
import { ChromeSurface } from "./surface.ts";

/** One piece of chrome: its last view, and the cells Ink made of it. */
export class ChromePart {
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

import type { XtermCore } from "./xterm.ts";

/**
 * Resizes a terminal without what a resize does to scroll regions. Their program knows nothing of this
 * size, as it was not made for it: another client's counts. A region that no longer fits, or whose
 * lines have moved, is given up all the same.
 */
export function keepScrollRegions(core: XtermCore, rows: number, resize: () => void): void {
  const { normal, alt } = core.buffers;
  const regions = [normal, alt].map((buffer) => ({
    buffer,
    top: buffer.scrollTop,
    bottom: buffer.scrollBottom,
    first: buffer.ybase,
  }));
  const lastBefore = core._bufferService.rows - 1;
  resize();
  for (const { buffer, top, bottom, first } of regions) {
    const whole = top === 0 && bottom === lastBefore;
    if (whole || bottom >= rows || buffer.ybase !== first) continue;
    buffer.scrollTop = top;
    buffer.scrollBottom = bottom;
  }
}

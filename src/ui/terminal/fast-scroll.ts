import type { XtermCore, XtermLine } from "./xterm.ts";

/**
 * For every line that scrolls in xterm makes two objects for what does not fit into cells, mostly
 * for nothing, and an event for those who wait for changed rows: a flood of short lines made 200 MB of garbage a second.
 */
export function scrollFast(core: XtermCore): void {
  core._bufferService._onScroll = {
    fire: () => {
      const { scrollTop, scrollBottom } = core.buffers.active;
      core._inputHandler._dirtyRowTracker.markRangeDirty(scrollTop, scrollBottom);
    },
  };
  const line = core.buffers.active.lines.get(0) as XtermLine;
  // All terminals' lines: they have no copyFrom of their own.
  const prototype = Object.getPrototypeOf(line) as XtermLine;
  if (prototype.copyFrom !== copyFrom) prototype.copyFrom = copyFrom;
}

/** A line that has nothing beside its cells keeps its empty objects. */
function copyFrom(this: XtermLine, from: XtermLine): void {
  if (this.length === from.length) this._data.set(from._data);
  else this._data = new Uint32Array(from._data);
  this.length = from.length;
  if (!areEmpty(this._combined, from._combined)) this._combined = { ...from._combined };
  if (!areEmpty(this._extendedAttrs, from._extendedAttrs)) {
    this._extendedAttrs = { ...from._extendedAttrs };
  }
  this.isWrapped = from.isWrapped;
}

function areEmpty(a: object, b: object): boolean {
  for (const _ in a) return false;
  for (const _ in b) return false;
  return true;
}

import type { XtermCore } from "./xterm.ts";

/** The rows of the screen that may have changed since they were last looked at. */
export class DirtyRows {
  private readonly core: XtermCore;
  private readonly tracker: XtermCore["_inputHandler"]["_dirtyRowTracker"];
  private readonly clear: () => void;

  constructor(core: XtermCore) {
    this.core = core;
    this.tracker = core._inputHandler._dirtyRowTracker;
    this.clear = this.tracker.clearRange.bind(this.tracker);
    // xterm would forget them at every write.
    this.tracker.clearRange = () => {};
  }

  has(row: number): boolean {
    return row >= this.tracker.start && row <= this.tracker.end;
  }

  addAll(): void {
    this.tracker.markRangeDirty(0, this.core.rows - 1);
  }

  /** They have been looked at. */
  forget(): void {
    this.clear();
  }
}

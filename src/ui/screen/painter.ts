import type { Grid } from "./grid.ts";

export type ColourDepth = "truecolor" | "256" | "16" | "none";

export interface Cursor {
  x: number;
  y: number;
  visible: boolean;
  shape: "block" | "underline" | "bar";
  blink: boolean;
}

/** Turns the difference between a Grid and what the outer terminal shows into bytes. */
export class Painter {
  constructor(_options?: { depth?: ColourDepth }) {}
  /** The outer terminal may show anything now (resize, SIGCONT): the next paint redraws all of it. */
  invalidate(): void {}
  /**
   * The bytes that bring the outer terminal to `grid` and `cursor`; empty when it is there already.
   * The buffer is reused: it must be written out before the next call (OuterOutput sees to that).
   */
  paint(_grid: Grid, _cursor: Cursor | null): Uint8Array {
    return new Uint8Array(0);
  }
}

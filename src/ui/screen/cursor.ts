/** A terminal's cursor, in cells of its screen. */
export interface Cursor {
  x: number;
  y: number;
  visible: boolean;
  shape: "block" | "underline" | "bar";
  blink: boolean;
}

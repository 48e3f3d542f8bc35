export type MouseMode = "none" | "x10" | "normal" | "button" | "any";
export type MouseEncoding = "default" | "utf8" | "sgr" | "urxvt" | "sgr-pixels";
export type MouseButton =
  | "left"
  | "middle"
  | "right"
  | "none"
  | "wheel-up"
  | "wheel-down"
  | "wheel-left"
  | "wheel-right";

export interface MouseEvent {
  button: MouseButton;
  /** A wheel step is a press. */
  action: "press" | "release" | "move";
  /** 0-based cells. */
  x: number;
  y: number;
  shift?: boolean;
  alt?: boolean;
  ctrl?: boolean;
}

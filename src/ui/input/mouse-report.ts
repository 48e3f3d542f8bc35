import type { MouseButton } from "../terminal/mouse.ts";
import type { MouseInput } from "./events.ts";

const buttons: readonly MouseButton[] = ["left", "middle", "right", "none"];
const wheel: readonly MouseButton[] = ["wheel-up", "wheel-down", "wheel-left", "wheel-right"];

/** A report's button code, as xterm numbers it, in plain words; cells are counted from 1. */
export function decodeMouse(code: number, x: number, y: number, released: boolean): MouseInput {
  const isWheel = (code & 64) !== 0;
  return {
    type: "mouse",
    button: (isWheel ? wheel : buttons)[code & 3]!,
    action: isWheel ? "press" : code & 32 ? "move" : released ? "release" : "press",
    x: Math.max(0, x - 1),
    y: Math.max(0, y - 1),
    shift: (code & 4) !== 0,
    alt: (code & 8) !== 0,
    ctrl: (code & 16) !== 0,
  };
}

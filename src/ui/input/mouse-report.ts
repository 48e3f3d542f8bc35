import type { MouseButton } from "../terminal/mouse.ts";
import type { MouseInput } from "./events.ts";

const buttons: readonly MouseButton[] = ["left", "middle", "right", "none"];
const wheel: readonly MouseButton[] = ["wheel-up", "wheel-down", "wheel-left", "wheel-right"];

/** A report's button code, as xterm numbers it, in plain words; cells are counted from 1. */
function decodeMouse(code: number, x: number, y: number, released: boolean): MouseInput {
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

/** A report in the SGR form, `CSI < code ; x ; y M` or `m` for a release. */
export function sgrMouse(body: string, final: string): MouseInput | undefined {
  const match = /^<(\d{1,3});(\d{1,5});(\d{1,5})$/.exec(body);
  if (!match || (final !== "M" && final !== "m")) return undefined;
  return decodeMouse(Number(match[1]), Number(match[2]), Number(match[3]), final === "m");
}

/** The old report: three bytes, each offset by 32; button 3 is any release. */
export function x10Mouse(bytes: readonly number[]): MouseInput | undefined {
  const [code, x, y] = bytes.map((byte) => byte - 32) as [number, number, number];
  const released = (code & 3) === 3 && code < 32;
  return code >= 0 ? decodeMouse(code, x, y, released) : undefined;
}

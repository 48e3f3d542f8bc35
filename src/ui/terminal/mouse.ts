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

/** What a pane says a cell measures, in pixels: terminals in terminals have no real figure. */
export const CELL_PIXELS = { width: 8, height: 16 };

const BUTTON_CODES: Record<MouseButton, number> = {
  left: 0,
  middle: 1,
  right: 2,
  none: 3,
  "wheel-up": 64,
  "wheel-down": 65,
  "wheel-left": 66,
  "wheel-right": 67,
};
const MOTION = 32;
const RELEASE = 3;
/** Single-byte coordinates end here. */
const DEFAULT_LIMIT = 255 - 32;
const UTF8_LIMIT = 2047 - 32;

/** The report a program in this mode and encoding expects; null when it did not ask for the event. */
export function encodeMouse(
  event: MouseEvent,
  mode: MouseMode,
  encoding: MouseEncoding,
): Uint8Array | null {
  if (!wanted(event, mode)) return null;
  const x = event.x + 1;
  const y = event.y + 1;
  const sgr = encoding === "sgr" || encoding === "sgr-pixels";
  const code = eventCode(event, mode, sgr);
  if (sgr) {
    const column = encoding === "sgr" ? x : event.x * CELL_PIXELS.width + 1;
    const row = encoding === "sgr" ? y : event.y * CELL_PIXELS.height + 1;
    const final = event.action === "release" ? "m" : "M";
    return Buffer.from(`\x1b[<${code};${column};${row}${final}`, "latin1");
  }
  if (encoding === "urxvt") return Buffer.from(`\x1b[${code + 32};${x};${y}M`, "latin1");
  const limit = encoding === "utf8" ? UTF8_LIMIT : DEFAULT_LIMIT;
  if (x > limit || y > limit) return null;
  const report = `\x1b[M${String.fromCharCode(code + 32, x + 32, y + 32)}`;
  return Buffer.from(report, encoding === "utf8" ? "utf8" : "latin1");
}

function wanted(event: MouseEvent, mode: MouseMode): boolean {
  if (event.x < 0 || event.y < 0) return false;
  const wheel = BUTTON_CODES[event.button] >= 64;
  if (wheel && event.action !== "press") return false;
  if (event.button === "none" && event.action !== "move") return false;
  if (mode === "none") return false;
  if (mode === "x10") return event.action === "press" && !wheel;
  if (event.action !== "move") return true;
  return mode === "any" || (mode === "button" && event.button !== "none");
}

function eventCode(event: MouseEvent, mode: MouseMode, namesReleased: boolean): number {
  const released = event.action === "release" && !namesReleased;
  let code = released ? RELEASE : BUTTON_CODES[event.button];
  if (event.action === "move") code += MOTION;
  if (mode === "x10") return code;
  return code | (event.shift ? 4 : 0) | (event.alt ? 8 : 0) | (event.ctrl ? 16 : 0);
}

import type { KeyEvent } from "../input/events.ts";

const cursorFinals = new Set([..."ABCDFH"].map((letter) => letter.charCodeAt(0)));

/**
 * The bytes a guest expects for a key. The outer terminal stays in its normal cursor mode, so that
 * only the plain arrow, Home and End keys differ for programs that asked for the other one.
 */
export function encodeKey(event: KeyEvent, applicationCursorKeys: boolean): Buffer {
  const { raw } = event;
  const plainCursor = raw.length === 3 && raw[0] === 0x1b && cursorFinals.has(raw[2]!);
  if (!plainCursor || (raw[1] !== 0x5b && raw[1] !== 0x4f)) return raw;
  return Buffer.of(0x1b, applicationCursorKeys ? 0x4f : 0x5b, raw[2]!);
}

/** Wheel steps for a full-screen program that knows no mouse: arrow keys, as terminals do. */
export function wheelAsArrows(up: boolean, steps: number, applicationCursorKeys: boolean): Buffer {
  const arrow = `\x1b${applicationCursorKeys ? "O" : "["}${up ? "A" : "B"}`;
  return Buffer.from(arrow.repeat(steps));
}

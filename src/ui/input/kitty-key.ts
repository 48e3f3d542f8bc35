import type { KeyEvent } from "./events.ts";
import { asciiKeyName, csiKeyName } from "./key-names.ts";

const named: Record<number, string> = {
  9: "tab",
  13: "enter",
  27: "escape",
  32: "space",
  127: "backspace",
  57414: "enter",
};
const modifierKeys = { first: 57_441, last: 57_454 };
/** Also caps lock, scroll lock and num lock, which come alone as modifiers do. */
const lockKeys = { first: 57_358, last: 57_360 };

const within = (value: number, { first, last }: { first: number; last: number }): boolean =>
  value >= first && value <= last;

/**
 * A key in the kitty keyboard protocol: `CSI code:shifted:base ; modifiers:action ; text u`, or a
 * function key's usual form with an action. Undefined for what is none; `raw` is the whole of it.
 */
export function kittyKey(body: string, final: string, raw: Buffer): KeyEvent | undefined {
  const fields = body.split(";").map((field) => field.split(":").map(Number));
  if (!/^[0-9:;]+$/.test(body)) return undefined;
  const [modifiers = 1, event = 1] = fields[1] ?? [];
  const action = event === 2 ? "repeat" : event === 3 ? "release" : undefined;
  const code = fields[0]?.[0] ?? 0;
  const key =
    final === "u" ? unicodeKeyName(code, modifiers) : csiKeyName([code, modifiers], final);
  if (key === undefined) return undefined;
  const modifier = final === "u" && (within(code, modifierKeys) || within(code, lockKeys));
  return { type: "key", key, raw, ...(action && { action }), ...(modifier && { modifier }) };
}

function unicodeKeyName(code: number, modifiers: number): string | undefined {
  if (code < 1 || code > 0x10ffff) return undefined;
  const bits = Math.max(0, modifiers - 1);
  const plain = named[code] ?? (code < 32 ? asciiKeyName(code) : String.fromCodePoint(code));
  // Shift shows in a letter itself, as it does without the protocol.
  const upper = /^[a-z]$/.test(plain) && (bits & 5) === 1;
  const shift = bits & 1 && !upper ? "shift-" : "";
  return `${bits & 4 ? "ctrl-" : ""}${bits & 2 ? "alt-" : ""}${shift}${upper ? plain.toUpperCase() : plain}`;
}

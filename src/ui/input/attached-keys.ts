import { detachByte } from "../config/detach-byte.ts";
import { encodeKey } from "../panes/key-encoding.ts";
import type { PaneTerminal } from "../terminal/pane-terminal.ts";
import type { KeyEvent, UnknownEvent } from "./events.ts";

const ESC = 0x1b;

export interface GuestKey {
  bytes: Buffer;
  /** It neither is nor comes between the two keys that detach. */
  besides: boolean;
}

/**
 * What an attached guest gets for a key. With the kitty protocol on, keys come as its program asked
 * for them and are handed on as they are, but for the detach key: that always is one byte, so that
 * it is found whatever form it came in.
 */
export function guestKey(
  event: KeyEvent | UnknownEvent,
  terminal: PaneTerminal | undefined,
  detachKey: string,
): GuestKey {
  if (event.type === "unknown") return { bytes: event.raw, besides: false };
  if (event.key === detachKey && event.raw[0] === ESC) {
    const up = event.action === "release";
    return { bytes: up ? Buffer.alloc(0) : Buffer.of(detachByte(detachKey)), besides: up };
  }
  const besides = event.modifier === true || event.action === "release";
  if (terminal && terminal.keyboardFlags > 0) return { bytes: event.raw, besides };
  return {
    bytes: encodeKey(event, terminal?.modes.applicationCursorKeys ?? false),
    besides,
  };
}

import type { MouseEvent } from "../terminal/mouse.ts";

/** What the user's terminal sent, one event per key, mouse report, focus change or piece of paste. */
export type InputEvent = KeyEvent | MouseInput | PasteEvent | FocusEvent | UnknownEvent;

export interface KeyEvent {
  type: "key";
  /** `a`, `A`, `enter`, `up`, `ctrl-c`, `alt-x`, `ctrl-shift-left`, `f5` ... */
  key: string;
  /** The bytes as they came. */
  raw: Buffer;
}

export interface MouseInput extends MouseEvent {
  type: "mouse";
}

/** Pasted bytes come in pieces as they arrive, between a start and an end. */
export interface PasteEvent {
  type: "paste";
  part: "start" | "data" | "end";
  raw: Buffer;
}

export interface FocusEvent {
  type: "focus";
  focused: boolean;
}

/** A sequence without a meaning here; an attached guest still gets it. */
export interface UnknownEvent {
  type: "unknown";
  raw: Buffer;
}

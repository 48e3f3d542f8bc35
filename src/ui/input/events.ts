import type { MouseEvent } from "../terminal/mouse.ts";

/** What the user's terminal sent, one event per key, mouse report, focus change or piece of paste. */
export type InputEvent =
  | KeyEvent
  | MouseInput
  | PasteEvent
  | FocusEvent
  | ReportEvent
  | UnknownEvent;

export interface KeyEvent {
  type: "key";
  /** `a`, `A`, `enter`, `up`, `ctrl-c`, `alt-x`, `ctrl-shift-left`, `f5` ... */
  key: string;
  /** The bytes as they came. */
  raw: Buffer;
  /** In the kitty keyboard protocol only; a key that says nothing else was pressed. */
  action?: "repeat" | "release";
  /** A modifier alone, in the kitty keyboard protocol only. */
  modifier?: boolean;
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

/** An answer of the user's terminal to a question of ours; never meant for a guest. */
export interface ReportEvent {
  type: "report";
  report:
    | { about: "keyboard"; flags: number }
    | { about: "colour"; slot: 10 | 11 | 12; rgb: number }
    | { about: "attributes" };
}

/** A sequence without a meaning here; an attached guest still gets it. */
export interface UnknownEvent {
  type: "unknown";
  raw: Buffer;
}

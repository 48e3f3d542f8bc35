import type { InputEvent } from "./input/events.ts";
import { InputParser } from "./input/parser.ts";
import { OnceTimer } from "./once-timer.ts";

/** A lone ESC is a key when nothing follows it for this long. */
const escapeMs = 20;

/** Turns what the user's terminal sends into events. */
export class TerminalInput {
  private readonly parser = new InputParser();
  private readonly onEvents: (events: readonly InputEvent[]) => void;
  private readonly escape = new OnceTimer(() => this.onEvents(this.parser.flush()));

  constructor(onEvents: (events: readonly InputEvent[]) => void) {
    this.onEvents = onEvents;
  }

  feed(bytes: Buffer): void {
    this.escape.stop();
    this.onEvents(this.parser.feed(bytes));
    if (this.parser.pending) this.escape.start(escapeMs);
  }

  stop(): void {
    this.escape.stop();
  }
}

import type { ReportEvent } from "../input/events.ts";
import type { DefaultColours } from "./colours.ts";

/** What the user's terminal is asked when it is taken over; the last one is answered by all. */
export const capabilityQueries = "\x1b[?u\x1b]10;?\x1b\\\x1b]11;?\x1b\\\x1b[c";

/** What the user's terminal has told about itself; until it answers, the cautious defaults. */
export class OuterCapabilities {
  /** It speaks the kitty keyboard protocol. */
  kittyKeyboard = false;
  colours: DefaultColours = { foreground: 0xd0d0d0, background: 0x101010 };

  note({ report }: ReportEvent): void {
    if (report.about === "keyboard") this.kittyKeyboard = true;
    if (report.about !== "colour") return;
    const name = { 10: "foreground", 11: "background", 12: "cursor" }[report.slot];
    this.colours = { ...this.colours, [name]: report.rgb };
  }
}

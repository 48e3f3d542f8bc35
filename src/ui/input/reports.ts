import { parseColour } from "../terminal/colours.ts";
import type { ReportEvent } from "./events.ts";

/** An answer of the user's terminal sent as `CSI <body> <final>`, or undefined. */
export function csiReport(body: string, final: string): ReportEvent | undefined {
  if (!body.startsWith("?")) return undefined;
  if (final === "u" && /^\?\d{1,3}$/.test(body)) {
    return { type: "report", report: { about: "keyboard", flags: Number(body.slice(1)) } };
  }
  if (final === "c") return { type: "report", report: { about: "attributes" } };
  return undefined;
}

/** An answer sent as a control string (OSC ...), given with its introducer and terminator. */
export function stringReport(raw: Buffer): ReportEvent | undefined {
  const match = /^\x1b\](1[012]);([^\x07\x1b]*)(?:\x07|\x1b\\)$/.exec(raw.toString("latin1"));
  const rgb = match ? parseColour(match[2]!) : undefined;
  if (!match || rgb === undefined) return undefined;
  return { type: "report", report: { about: "colour", slot: Number(match[1]) as 10, rgb } };
}

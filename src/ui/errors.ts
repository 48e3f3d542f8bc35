import { isMachinenError } from "../runtime/errors.ts";
import { printable } from "../runtime/printable.ts";

/** An error as one line that begins with its code. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error));
  const code = isMachinenError(error) ? error.code : (error as NodeJS.ErrnoException).code;
  const message = printable(error.message || error.name);
  return typeof code === "string" && !message.startsWith(code) ? `${code}: ${message}` : message;
}

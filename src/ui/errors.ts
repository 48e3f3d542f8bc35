import { isMachinenError } from "../runtime/errors.ts";
import { plainText } from "./format.ts";

/** An error as one line that begins with its code. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return plainText(String(error));
  const code = isMachinenError(error) ? error.code : (error as NodeJS.ErrnoException).code;
  const message = plainText(error.message || error.name);
  return typeof code === "string" && !message.startsWith(code) ? `${code}: ${message}` : message;
}

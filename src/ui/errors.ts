import { isMachinenError } from "../runtime/errors.ts";
import { nextStep } from "../runtime/next-step.ts";
import { printable } from "../runtime/printable.ts";

/** A command that cannot be carried out as it was given. */
export class CommandError extends Error {
  readonly code: "COMMAND_UNKNOWN" | "COMMAND_ARGUMENT_INVALID" | "COMMAND_NOT_POSSIBLE";

  constructor(code: CommandError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** Work that failed: the message names it, the code is that of its cause. */
export class TaskError extends Error {
  readonly code: string | undefined;

  constructor(label: string, cause: unknown) {
    super(`${label}: ${describeError(cause)}`, { cause });
    this.code = codeOf(cause);
  }
}

export function codeOf(error: unknown): string | undefined {
  const code = isMachinenError(error) ? error.code : (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

/** An error as one line that begins with its code, or with the work that failed. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error));
  const message = printable(error.message || error.name);
  const code = error instanceof TaskError ? undefined : codeOf(error);
  return code !== undefined && !message.startsWith(code) ? `${code}: ${message}` : message;
}

/** What went wrong, and what the user can do about it where the message does not say. */
export function withNextStep(error: unknown, separator = "; "): string {
  const advice = nextStep(codeOf(error) ?? "");
  return advice ? `${describeError(error)}${separator}next: ${advice}` : describeError(error);
}

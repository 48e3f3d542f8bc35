import type { Writable } from "node:stream";
import { formatMachinenError, isMachinenError } from "../runtime/errors.ts";
import { nextStep } from "../runtime/next-step.ts";
import { printable } from "../runtime/printable.ts";
import { printLine } from "./output.ts";
import { UsageError } from "./usage-error.ts";

/** The user ended a command with a signal; what it had begun is undone. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("interrupted");
    this.exitCode = exitCode;
  }
}

/** The command joins a terminal, and there is none. */
export class NoTerminal extends Error {
  readonly code = "NO_TERMINAL";

  constructor() {
    super("standard input and output must be a terminal");
  }
}

function systemErrorCode(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === "string" ? code : "UNEXPECTED";
}

/** Consoles and causes are quoted in errors: their lines stay, what steers a terminal does not. */
function printSafely(stream: Writable, text: string): void {
  for (const line of text.split("\n")) printLine(stream, printable(line));
}

/** Tells what went wrong and what to do about it; returns the exit code. */
export function reportError(error: unknown, stderr: Writable): number {
  if (error instanceof Interrupted) return error.exitCode;
  const code =
    isMachinenError(error) || error instanceof UsageError ? error.code : systemErrorCode(error);
  const text = isMachinenError(error)
    ? formatMachinenError(error)
    : `${code}: ${error instanceof Error ? error.message : String(error)}`;
  printSafely(stderr, text);
  const advice = error instanceof UsageError ? error.nextStep : nextStep(code);
  // Some messages of the runtime end with the next step themselves.
  if (advice && !/^Next: /m.test(text)) printSafely(stderr, `next: ${advice}`);
  if (code === "UNEXPECTED" && !process.env.MACHINEN_DEBUG)
    printLine(stderr, "next: MACHINEN_DEBUG=1 shows where it happened");
  if (process.env.MACHINEN_DEBUG && error instanceof Error) printSafely(stderr, error.stack ?? "");
  return code.startsWith("PARSE_") ? 2 : 1;
}

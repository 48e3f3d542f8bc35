import meow from "meow";
import type { Command, Flags, Invocation } from "./command.ts";
import { commandHelp } from "./help.ts";
import { allFlags, splitArguments, usage } from "./split-arguments.ts";

export interface ParsedArguments extends Invocation<Flags> {
  /** The help text, when it was asked for. */
  help?: string;
}

/** Turns the words after a command's name into what it runs with; throws a UsageError. */
export function parseArguments(command: Command, argv: string[]): ParsedArguments {
  const { own, guestCommand } = splitArguments(command, argv);
  const flags = Object.fromEntries(
    Object.entries(allFlags(command)).map(([name, { type, many }]) => [
      name,
      many ? { type, isMultiple: true } : { type },
    ]),
  );
  const parsed = meow(commandHelp(command), {
    importMeta: import.meta,
    // Found by meow otherwise, by searching the disk upward.
    pkg: { name: "machinen" },
    argv: own,
    flags,
    description: false,
    helpIndent: 0,
    autoHelp: false,
    autoVersion: false,
  });
  const { help: wantsHelp, ...values } = parsed.flags as Record<string, never>;
  const invocation = { flags: values, args: parsed.input.map(String), guestCommand };
  if (wantsHelp) return { ...invocation, help: parsed.help.trim() };
  checkArguments(command, invocation);
  return invocation;
}

function checkArguments(command: Command, { args, guestCommand }: Invocation<Flags>): void {
  const wanted = command.arguments ?? [];
  const missing = wanted.find((argument, index) => argument.required && args[index] === undefined);
  if (missing)
    throw usage("PARSE_ARGUMENT_MISSING", `${command.name} needs <${missing.name}>`, command);
  if (args.length > wanted.length && !wanted.at(-1)?.many)
    throw usage(
      "PARSE_ARGUMENT_UNEXPECTED",
      `${command.name} does not know what to do with "${args[wanted.length]}"`,
      command,
    );
  if (guestCommand.length > 0 && !command.guestCommand)
    throw usage("PARSE_ARGUMENT_UNEXPECTED", `${command.name} takes no command after --`, command);
}

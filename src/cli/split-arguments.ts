import type { Command, Flag } from "./command.ts";
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage-error.ts";

const helpFlag: Flag = { type: "boolean", shortFlag: "h", description: "show this help" };

export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The command's flags and the one every command has. */
export function allFlags(command: Command): Record<string, Flag> {
  return { ...command.flags, help: helpFlag };
}

export interface SplitArguments {
  /** Flags and arguments of the command itself, known to be well formed. */
  own: string[];
  guestCommand: string[];
}

/**
 * Cuts the guest's command off and checks the flags before meow reads them: meow takes an unknown
 * flag for a value, a missing value for an empty one and the last of two for the only one.
 */
export function splitArguments(command: Command, argv: string[]): SplitArguments {
  const own: string[] = [];
  const seen = new Set<string>();
  let argumentsLeft =
    command.guestCommand === "after-arguments" ? (command.arguments?.length ?? 0) : Infinity;
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    if (word === "--") return { own, guestCommand: argv.slice(index + 1) };
    if (!word.startsWith("-") || word === "-") {
      own.push(word);
      if (--argumentsLeft === 0) {
        const rest = argv.slice(index + 1);
        return { own, guestCommand: rest[0] === "--" ? rest.slice(1) : rest };
      }
      continue;
    }
    const [name, flag, value] = readFlag(command, word);
    if (seen.has(name) && !flag.many)
      throw usage("PARSE_FLAG_DUPLICATE", `--${name} is given twice`, command);
    seen.add(name);
    if (flag.type === "boolean") {
      if (value !== undefined)
        throw usage("PARSE_FLAG_MALFORMED", `--${name} takes no value`, command);
      own.push(`--${name}`);
      continue;
    }
    const given = value ?? argv[++index];
    if (given === undefined || given === "" || (value === undefined && /^-[^0-9]/.test(given)))
      throw usage("PARSE_FLAG_MISSING_VALUE", `--${name} needs a value`, command);
    if (flag.type === "number" && !/^-?\d+$/.test(given))
      throw usage(
        "PARSE_FLAG_MALFORMED",
        `--${name} needs a whole number, not "${given}"`,
        command,
      );
    own.push(`--${name}=${given}`);
  }
  return { own, guestCommand: [] };
}

function readFlag(command: Command, word: string): [name: string, flag: Flag, value?: string] {
  const flags = Object.entries(allFlags(command));
  const equals = word.indexOf("=");
  const name = equals < 0 ? word : word.slice(0, equals);
  const value = equals < 0 ? undefined : word.slice(equals + 1);
  const found = flags.find(
    ([key, flag]) =>
      name === `--${kebab(key)}` || (flag.shortFlag && name === `-${flag.shortFlag}`),
  );
  if (found) return [kebab(found[0]), found[1], value];
  const known = flags.map(([key]) => `--${kebab(key)}`);
  const meant = nearest(name, known);
  throw usage(
    "PARSE_FLAG_UNKNOWN",
    `${command.name} has no flag ${name}${meant ? `; did you mean ${meant}?` : ""}`,
    command,
  );
}

export function usage(
  code: ConstructorParameters<typeof UsageError>[0],
  message: string,
  command: Command,
): UsageError {
  return new UsageError(code, message, `machinen ${command.name} --help shows how it is used`);
}

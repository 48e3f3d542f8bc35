import type { Host } from "../runtime/host/host.ts";

/** One option of a command, in the words of meow, plus what the help says about it. */
export interface Flag {
  type: "string" | "number" | "boolean";
  shortFlag?: string;
  /** How the help names the value. */
  placeholder?: string;
  description: string;
  /** May be given several times; the value is then a list. */
  many?: true;
}

export type Flags = Record<string, Flag>;

type FlagValue<F extends Flag> = F extends { many: true }
  ? string[] | undefined
  : F["type"] extends "boolean"
    ? boolean | undefined
    : F["type"] extends "number"
      ? number | undefined
      : string | undefined;

export interface Argument {
  name: string;
  description: string;
  required?: boolean;
  /** Takes all that is left. Only for the last one. */
  many?: boolean;
}

export interface Invocation<F extends Flags> {
  flags: { [Name in keyof F]: FlagValue<F[Name]> };
  args: string[];
  /** The words after `--`, or for `guestCommand: "after-arguments"` all after the last argument, untouched. */
  guestCommand: string[];
}

/** What a command may touch of the world. */
export interface Context {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  host(): Promise<Host>;
}

/** One entry of the command table, from which dispatch, help and suggestions come. */
export interface Command<F extends Flags = Flags> {
  name: string;
  aliases?: string[];
  summary: string;
  /** Further paragraphs of the command's own help. */
  details?: string;
  arguments?: Argument[];
  /** Where the words of a command for the guest begin, when it takes one. */
  guestCommand?: "after-dashes" | "after-arguments";
  flags: F;
  examples: { command: string; does: string }[];
  /** Resolves to the exit code. */
  run(invocation: Invocation<F>, context: Context): Promise<number>;
}

/** Lets `run` know the types of its own flags, then forgets them for the table. */
export function defineCommand<const F extends Flags>(command: Command<F>): Command {
  return command as unknown as Command;
}

export const jsonFlag = { type: "boolean", description: "print JSON" } as const;

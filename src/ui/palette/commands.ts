import fuzzysort from "fuzzysort";
import { type CommandId, type CommandSpec, commands, isCommand } from "../commands.ts";

/** One line of the palette. */
export interface PaletteEntry {
  command: CommandId;
  spec: CommandSpec;
}

const vocabulary: readonly PaletteEntry[] = Object.entries<CommandSpec>(commands)
  .filter(([, { internal }]) => !internal)
  .map(([command, spec]) => ({ command: command as CommandId, spec }));

/** The command and the argument that a line names; a `/` before it is what other places call it by. */
export function readCommandLine(line: string): { command: string; argument: string } {
  const text = line.trim().replace(/^\//, "");
  const space = text.indexOf(" ");
  if (space < 0) return { command: text, argument: "" };
  return { command: text.slice(0, space), argument: text.slice(space + 1).trim() };
}

/** The commands a typed line may mean, best first; once it has an argument, only its own. */
export function paletteEntries(line: string): PaletteEntry[] {
  const { command, argument } = readCommandLine(line);
  if (isCommand(command) && (argument !== "" || line.endsWith(" "))) {
    return vocabulary.filter((entry) => entry.command === command);
  }
  const wanted = line.trim().replace(/^\//, "");
  if (wanted === "") return [...vocabulary];
  const keys = [
    (entry: PaletteEntry) => entry.command,
    (entry: PaletteEntry) => entry.spec.description,
  ];
  const found = fuzzysort
    .go(wanted, vocabulary, { keys, limit: 0, threshold: 0.1 })
    .map(({ obj }) => obj);
  // What is spelled out comes first.
  return found.sort((a, b) => Number(b.command === command) - Number(a.command === command));
}

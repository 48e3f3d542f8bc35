import type { Command } from "./command.ts";
import { allFlags, kebab } from "./split-arguments.ts";

function columns(rows: [string, string][]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd()).join("\n");
}

/** `machinen exec [--timeout <s>] <target> [--] <command>...` */
export function usageLine(command: Command): string {
  const flags = Object.keys(command.flags).length > 0 ? " [flags]" : "";
  const args = (command.arguments ?? [])
    .map(({ name, required, many }) => {
      const shown = `${required ? `<${name}>` : `[${name}]`}${many ? "..." : ""}`;
      return ` ${shown}`;
    })
    .join("");
  const guest = { "after-dashes": " [-- <command>...]", "after-arguments": " [--] <command>..." };
  return `machinen ${command.name}${flags}${args}${command.guestCommand ? guest[command.guestCommand] : ""}`;
}

/** The help of one command, from its entry in the table. */
export function commandHelp(command: Command): string {
  const flags = Object.entries(allFlags(command)).map(
    ([name, { shortFlag, placeholder, description }]): [string, string] => [
      `${shortFlag ? `-${shortFlag}, ` : ""}--${kebab(name)}${placeholder ? ` <${placeholder}>` : ""}`,
      description,
    ],
  );
  const args = (command.arguments ?? []).map(({ name, description }): [string, string] => [
    name,
    description,
  ]);
  const sections = [
    `${command.summary}\n`,
    `Usage: ${usageLine(command)}`,
    ...(command.aliases
      ? [`Also: ${command.aliases.map((name) => `machinen ${name}`).join(", ")}`]
      : []),
    "",
    ...(command.details ? [`${command.details}\n`] : []),
    ...(args.length > 0 ? [`Arguments:\n${columns(args)}\n`] : []),
    `Flags:\n${columns(flags)}\n`,
    `Examples:\n${command.examples.map(({ command: line, does }) => `  # ${does}\n  ${line}`).join("\n")}`,
  ];
  return sections.join("\n");
}

/** The help of the whole program, from the table. */
export function overviewHelp(commands: Command[]): string {
  const rows = commands.map(({ name, aliases, summary }): [string, string] => [
    [name, ...(aliases ?? [])].join(", "),
    summary,
  ]);
  return [
    "A terminal multiplexer whose panes are whole Linux machines.\n",
    "Usage: machinen [command]\n",
    "Without a command: the full-screen terminal UI.\n",
    `Commands:\n${columns(rows)}\n`,
    `Flags:\n${columns([
      ["-h, --help", "show this help, or after a command that command's"],
      ["--version", "show the version"],
    ])}\n`,
    "A machine is named by its name or its pid (machinen ls shows both).",
    "Exit codes: 0 success; 1 it failed; 2 the command line is wrong; exec: the command's own.",
  ].join("\n");
}

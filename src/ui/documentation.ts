import { type CommandSpec, commands } from "./commands.ts";
import { defaultConfigFile } from "./config/default-file.ts";
import { describeKey, helpLines, type KeyBinding, type KeyMode, keymap } from "./keymap.ts";

const generated =
  "<!-- Made by `node bin/docs.mjs` from the program's own tables. Do not edit. -->";

const modes: Partial<Record<KeyMode, string>> = {
  confirm: "In a question",
  picker: "In a list",
  reading: "In help and log",
};

/** docs/keys.md */
export function keysPage(): string {
  const others = Object.entries(modes).flatMap(([mode, title]) => [
    `## ${title}`,
    "",
    ...table(
      ["key", "what it does"],
      keymap.filter((row) => row.mode === mode).map((row) => [keysOf(row), row.hint ?? ""]),
    ),
    "",
  ]);
  return [
    "# Keys and commands",
    "",
    generated,
    "",
    "Every key stands for a command. Keys can be changed in the [configuration](configuration.md);",
    "`?` shows the keys as they are.",
    "",
    "## Keys",
    "",
    "While attached, every key but the detach key goes to the machine.",
    "",
    ...table(
      ["key", "what it does"],
      helpLines(keymap).map(({ keys, description }) => [code(keys), description]),
    ),
    "",
    "## Mouse",
    "",
    "A click on a pane selects it, on the selected pane attaches, on its title zooms. Borders can be",
    "dragged; a click on a tab or on a line of the sidebar goes there; the wheel scrolls. Inside the",
    "attached pane the mouse belongs to the program there, when it asked for it.",
    "",
    ...others,
    "## Commands",
    "",
    "They can be typed after `:`, be bound to keys, and be given to the running screen from outside:",
    "`machinen tui <command>` prints what came of it and ends with 0, or with the error and 1. From",
    "outside nothing is asked back: `stop` and `keep` act at once. Where a command takes a `[machine]`",
    "it is about the selected one when none is named.",
    "",
    ...table(
      ["command", "what it does"],
      Object.entries<CommandSpec>(commands)
        .filter(([, { internal }]) => !internal)
        .map(([name, { argument, description }]) => [
          code([name, argument].filter(Boolean).join(" ")),
          description,
        ]),
    ),
    "",
  ].join("\n");
}

/** docs/configuration.md */
export function configurationPage(): string {
  return [
    "# Configuration",
    "",
    generated,
    "",
    "The terminal UI and `machinen attach` read one file: `$XDG_CONFIG_HOME/machinen/config.toml`,",
    "which is `~/.config/machinen/config.toml` unless the variable says otherwise. It is TOML and need",
    "not exist. To begin with one that has every setting, commented:",
    "",
    "```sh",
    "mkdir -p ~/.config/machinen",
    "machinen tui --print-config >~/.config/machinen/config.toml",
    "```",
    "",
    "A line that cannot be used does no harm: it is reported with its number and with what is used",
    "instead, and everything else in the file counts.",
    "",
    "Whatever the file says, `NO_COLOR` switches colour off, and on a terminal that can place no cursor",
    "(`TERM=dumb`) the plain list of `machinen tui --list` takes the place of the screen.",
    "",
    "Tabs, layouts and selection are no configuration: they are kept as they were left, in",
    "`$XDG_STATE_HOME/machinen/workspace.json` (`~/.local/state/machinen/`). A file there that cannot be",
    "read is reported, kept as `workspace.json.bad`, and the usual layout is used.",
    "",
    "```toml",
    defaultConfigFile("~/.config/machinen/config.toml").trimEnd(),
    "```",
    "",
  ].join("\n");
}

function keysOf(row: KeyBinding): string {
  return code(row.keys.map(describeKey).join(" "));
}

function code(text: string): string {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text.replaceAll("|", "\\|")}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}

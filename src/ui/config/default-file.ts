import { type KeyBinding, keymap, specOf } from "../keymap.ts";
import { settings } from "./settings.ts";

/** The configuration file as it comes: every setting with its meaning, switched off by a `#`. */
export function defaultConfigFile(path: string): string {
  const lines = [
    `# machinen: configuration of the terminal UI, ${path}.`,
    "# A line without # in front counts; what is left out is as it stands here.",
    "# Something wrong is reported with its line when the UI starts, and the default is used.",
  ];
  let table = "";
  for (const [name, setting] of Object.entries(settings)) {
    const [group, key] = name.split(".") as [string, string];
    if (group !== table) {
      lines.push("", `[${group}]`);
      table = group;
    } else lines.push("");
    for (const about of setting.about.split("\n")) lines.push(`# ${about}`);
    lines.push(`# Allowed: ${setting.allowed}.`, `# ${key} = ${JSON.stringify(setting.default)}`);
  }
  lines.push(
    "",
    "[keys]",
    "# Keys while not attached: a command, or a list of keys for it; an empty list takes them away.",
    '# A command\'s argument follows it in quotes: "layout stack" = "S".',
    "# Keys: a character, or up, down, left, right, enter, escape, space, tab, backspace, delete,",
    "# insert, home, end, pageup, pagedown, f1 to f12, with ctrl-, alt- or shift- before it.",
    ...keymap.filter(isConfigurable).map(keyLine),
  );
  return `${lines.join("\n")}\n`;
}

function isConfigurable({ mode, argument }: KeyBinding): boolean {
  return mode === "navigate" && argument === undefined;
}

function keyLine(binding: KeyBinding): string {
  const keys = binding.keys.length === 1 ? binding.keys[0] : binding.keys;
  return `# ${binding.command} = ${JSON.stringify(keys)}  # ${specOf(binding).description}`;
}

import { type CommandId, type CommandSpec, commands, type Need } from "./commands.ts";
import { copyBindings } from "./copy-mode/bindings.ts";

/** What the keyboard is for right now. */
export type KeyMode =
  | "navigate"
  | "attached"
  | "copy"
  | "copy-emacs"
  | "copy-prompt"
  | "confirm"
  | "picker"
  | "differences"
  | "reading"
  | "palette"
  | "finder"
  | "prompt"
  | "form"
  | "too-small";

/** Modes in which characters are typed into a line. */
export const typingModes: ReadonlySet<KeyMode> = new Set(["palette", "finder", "prompt", "form"]);

export interface KeyBinding {
  mode: KeyMode;
  /** Names as the input parser gives them; the first one is shown. */
  keys: readonly string[];
  command: CommandId;
  /** For commands that take one. */
  argument?: string;
  /** For the help, where the command's own description does not fit. */
  description?: string;
  /** A word for the status line; without it the key is in the help only. */
  hint?: string;
  /** Shown there instead of the first key, when the row stands for more than itself. */
  hintKey?: string;
  /** Shown in the help instead of the keys; empty: the row stands in another one's. */
  helpKeys?: string;
}

type Row = [keys: string, command: CommandId, more?: Partial<KeyBinding>];

/** Keys are separated by spaces; `~` stands for a space inside one. */
function rows(mode: KeyMode, list: readonly Row[]): KeyBinding[] {
  return list.map(([keys, command, more]) => ({
    mode,
    keys: keys.split(" ").map((key) => key.replace("~", " ")),
    command,
    ...more,
  }));
}

/** What chooses among the lines below the one that is typed into. */
const choosing: readonly Row[] = [
  ["down ctrl-n", "dialog-down", { hint: "down" }],
  ["up ctrl-p", "dialog-up", { hint: "up" }],
];

/** What every dialog with a line to type into understands. */
const typing: readonly Row[] = [
  ["backspace ctrl-h", "dialog-erase"],
  ["ctrl-w alt-backspace", "dialog-erase-word"],
  ["ctrl-u", "dialog-clear"],
  ["escape ctrl-c", "dialog-close", { hint: "close" }],
];

/** The one table from which key lookup, help, status line and docs/keys.md are made. */
export const keymap: readonly KeyBinding[] = [
  ...rows("navigate", [
    ["j down", "select-next", { hint: "select", hintKey: "j/k" }],
    ["k up", "select-previous"],
    ["g home", "select-first"],
    ["G end", "select-last"],
    ["enter ctrl-j", "attach", { hint: "attach" }],
    ["n", "new", { hint: "new" }],
    ["N", "new-machine"],
    ["f", "fork", { hint: "fork" }],
    ["c", "compare", { hint: "compare" }],
    ["D", "differences"],
    ["=", "synchronize"],
    ["d", "highlight"],
    ["Y", "keep"],
    ["s", "snapshot", { hint: "snapshot" }],
    ["r", "restore", { hint: "restore" }],
    ["x", "stop", { hint: "stop" }],
    ["u", "undo"],
    ["R", "rename"],
    ["#", "tag"],
    ["z", "zoom", { hint: "zoom" }],
    ["|", "split-right", { hint: "split", hintKey: "|/-" }],
    ["-", "split-down"],
    ["w", "close-pane"],
    ["tab", "next-pane"],
    ["shift-tab", "previous-pane"],
    ["left ctrl-left", "focus-left"],
    ["right ctrl-right", "focus-right"],
    ["ctrl-up", "focus-up"],
    ["ctrl-down", "focus-down"],
    [">", "next-page"],
    ["<", "previous-page"],
    ["space", "next-layout", { hint: "layout" }],
    ["}", "swap-next"],
    ["{", "swap-previous"],
    ["o", "rotate"],
    ["O", "rotate-back"],
    ["H shift-left", "resize-left"],
    ["L shift-right", "resize-right"],
    ["K shift-up", "resize-up"],
    ["J shift-down", "resize-down"],
    ["t", "new-tab"],
    ["!", "break-pane"],
    [". ctrl-pagedown", "next-tab"],
    [", ctrl-pageup", "previous-tab"],
    ...Array.from({ length: 9 }, (_, index): Row => {
      const number = String(index + 1);
      return [number, "tab", { argument: number, helpKeys: index === 0 ? "1 … 9" : "" }];
    }),
    ["X", "close-tab"],
    ["b", "toggle-sidebar"],
    ["pageup ctrl-b", "scroll-up"],
    ["pagedown ctrl-f", "scroll-down"],
    ["[", "copy-mode", { hint: "copy" }],
    ["]", "paste"],
    ["a", "next-alert"],
    ["m", "mute"],
    ["y", "allow-clipboard"],
    ["l", "log"],
    ["ctrl-l", "redraw"],
    ["ctrl-z", "suspend"],
    [":", "palette", { hint: "commands" }],
    ["/", "find", { hint: "find" }],
    ["ctrl-]", "send-detach"],
    ["?", "help", { hint: "help" }],
    ["q ctrl-c", "quit", { hint: "quit" }],
  ]),
  ...rows("attached", [["ctrl-]~ctrl-]", "detach", { hint: "detach" }]]),
  ...copyBindings,
  ...rows("confirm", [
    ["y Y", "dialog-accept", { hint: "yes" }],
    ["s S", "dialog-keep", { hint: "snapshot, then stop" }],
    ["n N escape q enter ctrl-c", "dialog-close", { hint: "no" }],
  ]),
  ...rows("picker", [
    ["j down", "dialog-down", { hint: "down" }],
    ["k up", "dialog-up", { hint: "up" }],
    ["enter ctrl-j", "dialog-accept", { hint: "restore" }],
    ["escape q ctrl-c", "dialog-close", { hint: "close" }],
  ]),
  ...rows("differences", [
    ["j down", "dialog-down", { hint: "down" }],
    ["k up", "dialog-up", { hint: "up" }],
    ["enter ctrl-j", "dialog-accept", { hint: "open" }],
    ["escape q ctrl-c", "dialog-close", { hint: "close" }],
  ]),
  ...rows("reading", [
    ["j down space pagedown", "dialog-down", { hint: "down" }],
    ["k up pageup", "dialog-up", { hint: "up" }],
    ["escape q enter ? l ctrl-c", "dialog-close", { hint: "close" }],
  ]),
  ...rows("palette", [
    ...choosing,
    ["enter ctrl-j", "dialog-accept", { hint: "run" }],
    ["tab", "dialog-complete", { hint: "complete" }],
    ...typing,
  ]),
  ...rows("finder", [...choosing, ["enter ctrl-j", "dialog-accept", { hint: "go" }], ...typing]),
  ...rows("prompt", [["enter ctrl-j", "dialog-accept", { hint: "run" }], ...typing]),
  ...rows("form", [
    ["down tab", "dialog-down", { hint: "next line" }],
    ["up shift-tab", "dialog-up", { hint: "previous line" }],
    ["enter ctrl-j", "dialog-accept", { hint: "start" }],
    ...typing,
  ]),
  ...rows("too-small", [["q ctrl-c", "quit", { hint: "quit" }]]),
];

export function specOf(binding: KeyBinding): CommandSpec {
  return commands[binding.command];
}

/** The binding of a key in a mode. */
export function bindingFor(
  keys: readonly KeyBinding[],
  mode: KeyMode,
  key: string,
): KeyBinding | undefined {
  return keys.find((binding) => binding.mode === mode && binding.keys.includes(key));
}

const shown: Record<string, string> = {
  up: "↑",
  down: "↓",
  left: "←",
  right: "→",
  enter: "Enter",
  escape: "Esc",
  space: "Space",
  tab: "Tab",
  backspace: "Backspace",
  delete: "Delete",
  pageup: "PgUp",
  pagedown: "PgDn",
  home: "Home",
  end: "End",
};

const modifiers: Record<string, string> = { "ctrl-": "Ctrl-", "alt-": "Alt-", "shift-": "Shift-" };

/** A key as people write it: `Ctrl-]`, `Enter`, `↓`. */
export function describeKey(key: string): string {
  return key.split(" ").map(describeStroke).join(" ");
}

function describeStroke(stroke: string): string {
  const prefix = Object.keys(modifiers).find(
    (name) => stroke.startsWith(name) && stroke.length > name.length,
  );
  if (prefix === undefined) return shown[stroke] ?? stroke;
  const rest = stroke.slice(prefix.length);
  return modifiers[prefix] + (rest.length === 1 ? rest.toUpperCase() : describeStroke(rest));
}

/** The user's key for a command, as a message names it; what to type after the palette's key without one. */
export function keyOf(keys: readonly KeyBinding[], command: CommandId): string {
  const own = keys.find((row) => row.command === command && row.mode === "navigate");
  return own?.keys[0] === undefined ? `:${command}` : describeKey(own.keys[0]);
}

export interface KeyHint {
  key: string;
  hint: string;
  /** It stays where there is no room for others. */
  lasting?: true;
}

const lasting: ReadonlySet<CommandId> = new Set([
  "dialog-accept",
  "dialog-close",
  "copy-accept",
  "copy-leave",
  "help",
  "quit",
]);

/** What the status line offers: the keys of this mode that would do something now. */
export function hintsFor(
  keys: readonly KeyBinding[],
  mode: KeyMode,
  has: ReadonlySet<Need>,
): KeyHint[] {
  return keys
    .filter((binding) => binding.mode === mode && binding.hint && canRun(specOf(binding), has))
    .map((binding) => ({
      key: binding.hintKey ?? describeKey(binding.keys[0]!),
      hint: binding.hint!,
      ...(lasting.has(binding.command) && { lasting: true as const }),
    }));
}

export function canRun({ needs }: CommandSpec, has: ReadonlySet<Need>): boolean {
  return needs === undefined || has.has(needs);
}

export interface HelpLine {
  keys: string;
  description: string;
}

/** Aliases that only double another key of the same row are left out of the help. */
const silentAliases = new Set(["ctrl-j", "ctrl-c"]);

/** The help's lines: every key of the two modes in which the user lives, the way out first. */
export function helpLines(keys: readonly KeyBinding[]): HelpLine[] {
  return [...keys]
    .filter(({ mode }) => mode === "navigate" || mode === "attached")
    .sort((a, b) => Number(b.mode === "attached") - Number(a.mode === "attached"))
    .filter(({ helpKeys }) => helpKeys !== "")
    .map((binding) => ({
      keys:
        binding.helpKeys ??
        binding.keys
          .filter((key, index) => index === 0 || !silentAliases.has(key))
          .map(describeKey)
          .join(" "),
      description: binding.description ?? specOf(binding).description,
    }));
}

import type { CommandId } from "./commands.ts";

/** What the keyboard is for right now. */
export type KeyMode = "navigate" | "attached" | "confirm" | "picker" | "reading" | "too-small";

/** What must be there for a command to make sense. */
export type Need = "machine" | "running" | "pane";

export interface KeyBinding {
  mode: KeyMode;
  /** Names as the input parser gives them; the first one is shown. */
  keys: readonly string[];
  command: CommandId;
  /** A sentence for the help. */
  description: string;
  /** A word for the status line; without it the key is in the help only. */
  hint?: string;
  /** Shown there instead of the first key, when the row stands for more than itself. */
  hintKey?: string;
  needs?: Need;
}

/** The one table from which key lookup, help and status line are made. */
export const keymap: readonly KeyBinding[] = [
  {
    mode: "navigate",
    keys: ["j", "down"],
    command: "select-next",
    description: "select the next machine",
    hint: "select",
    hintKey: "j/k",
    needs: "machine",
  },
  {
    mode: "navigate",
    keys: ["k", "up"],
    command: "select-previous",
    description: "select the previous machine",
  },
  {
    mode: "navigate",
    keys: ["g", "home"],
    command: "select-first",
    description: "select the first machine",
  },
  {
    mode: "navigate",
    keys: ["G", "end"],
    command: "select-last",
    description: "select the last machine",
  },
  {
    mode: "navigate",
    keys: ["enter", "ctrl-j"],
    command: "attach",
    description: "attach: type into the selected machine",
    hint: "attach",
    needs: "machine",
  },
  {
    mode: "navigate",
    keys: ["n"],
    command: "new",
    description: "start a new machine",
    hint: "new",
  },
  {
    mode: "navigate",
    keys: ["f"],
    command: "fork",
    description: "fork the selected machine: memory, processes, screen",
    hint: "fork",
    needs: "running",
  },
  {
    mode: "navigate",
    keys: ["s"],
    command: "snapshot",
    description: "write a snapshot of the selected machine",
    hint: "snapshot",
    needs: "running",
  },
  {
    mode: "navigate",
    keys: ["r"],
    command: "restore",
    description: "start a machine from a snapshot",
    hint: "restore",
  },
  {
    mode: "navigate",
    keys: ["x"],
    command: "stop",
    description: "stop the selected machine (asks first)",
    hint: "stop",
    needs: "machine",
  },
  {
    mode: "navigate",
    keys: ["z"],
    command: "zoom",
    description: "zoom the selected pane, or put it back",
    hint: "zoom",
    needs: "machine",
  },
  {
    mode: "navigate",
    keys: ["pageup", "ctrl-b"],
    command: "scroll-up",
    description: "scroll the selected pane back",
    needs: "pane",
  },
  {
    mode: "navigate",
    keys: ["pagedown", "ctrl-f"],
    command: "scroll-down",
    description: "scroll the selected pane forward",
    needs: "pane",
  },
  {
    mode: "navigate",
    keys: ["l"],
    command: "log",
    description: "log: errors with their codes, finished work",
  },
  {
    mode: "navigate",
    keys: ["ctrl-l"],
    command: "redraw",
    description: "draw the whole screen again",
  },
  {
    mode: "navigate",
    keys: ["ctrl-z"],
    command: "suspend",
    description: "put machinen into the background",
  },
  { mode: "navigate", keys: ["?"], command: "help", description: "this help", hint: "help" },
  {
    mode: "navigate",
    keys: ["q", "ctrl-c"],
    command: "quit",
    description: "leave; the machines keep running",
    hint: "quit",
  },
  {
    mode: "attached",
    keys: ["ctrl-] ctrl-]"],
    command: "detach",
    description: "stop typing into the machine",
    hint: "detach",
  },
  { mode: "confirm", keys: ["y", "Y"], command: "dialog-accept", description: "yes", hint: "yes" },
  {
    mode: "confirm",
    keys: ["n", "N", "escape", "q", "enter", "ctrl-c"],
    command: "dialog-close",
    description: "no",
    hint: "no",
  },
  {
    mode: "picker",
    keys: ["j", "down"],
    command: "dialog-down",
    description: "next",
    hint: "down",
  },
  { mode: "picker", keys: ["k", "up"], command: "dialog-up", description: "previous", hint: "up" },
  {
    mode: "picker",
    keys: ["enter", "ctrl-j"],
    command: "dialog-accept",
    description: "restore this snapshot",
    hint: "restore",
  },
  {
    mode: "picker",
    keys: ["escape", "q", "ctrl-c"],
    command: "dialog-close",
    description: "close",
    hint: "close",
  },
  {
    mode: "reading",
    keys: ["j", "down", "space", "pagedown"],
    command: "dialog-down",
    description: "scroll down",
    hint: "down",
  },
  {
    mode: "reading",
    keys: ["k", "up", "pageup"],
    command: "dialog-up",
    description: "scroll up",
    hint: "up",
  },
  {
    mode: "reading",
    keys: ["escape", "q", "enter", "?", "l", "ctrl-c"],
    command: "dialog-close",
    description: "close",
    hint: "close",
  },
  {
    mode: "too-small",
    keys: ["q", "ctrl-c"],
    command: "quit",
    description: "leave; the machines keep running",
    hint: "quit",
  },
];

/** The binding of a key in a mode. */
export function bindingFor(mode: KeyMode, key: string): KeyBinding | undefined {
  return keymap.find((binding) => binding.mode === mode && binding.keys.includes(key));
}

const shown: Record<string, string> = {
  up: "↑",
  down: "↓",
  enter: "Enter",
  escape: "Esc",
  space: "Space",
  pageup: "PgUp",
  pagedown: "PgDn",
  home: "Home",
  end: "End",
};

/** A key as people write it: `Ctrl-]`, `Enter`, `↓`. */
export function describeKey(key: string): string {
  return key
    .split(" ")
    .map(
      (part) =>
        shown[part] ??
        part.replace(/^ctrl-(.)$/, (_, letter: string) => `Ctrl-${letter.toUpperCase()}`),
    )
    .join(" ");
}

export interface KeyHint {
  key: string;
  hint: string;
}

/** What the status line offers: the keys of this mode that would do something now. */
export function hintsFor(mode: KeyMode, has: ReadonlySet<Need>): KeyHint[] {
  return keymap
    .filter(
      (binding) =>
        binding.mode === mode && binding.hint && (!binding.needs || has.has(binding.needs)),
    )
    .map((binding) => ({
      key: binding.hintKey ?? describeKey(binding.keys[0]!),
      hint: binding.hint!,
    }));
}

export interface HelpLine {
  keys: string;
  description: string;
}

/** Aliases that only double another key of the same row are left out of the help. */
const silentAliases = new Set(["ctrl-j", "ctrl-c", "N", "Y"]);

/** The help's lines: every key of the two modes in which the user lives. */
export function helpLines(): HelpLine[] {
  return keymap
    .filter((binding) => binding.mode === "navigate" || binding.mode === "attached")
    .map((binding) => ({
      keys: binding.keys
        .filter((key) => !silentAliases.has(key))
        .map(describeKey)
        .join(" "),
      description: binding.description,
    }));
}

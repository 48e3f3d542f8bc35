import { copyCommands } from "./copy-mode/commands.ts";

/** What must be there for a command to make sense. */
export type Need = "machine" | "running" | "pane" | "panes" | "pages" | "tabs";

export interface CommandSpec {
  /** A sentence for help, palette and documentation. */
  description: string;
  /** `<name>`: it takes a word; `[name]`: it may take one; `[machine]`: default the selected one. */
  argument?: string;
  needs?: Need;
  /** Only means something inside a dialog: no word of the vocabulary users speak. */
  internal?: true;
}

/**
 * Everything the user can ask the TUI for, one word each: keys, palette, `/` commands and
 * `machinen tui <command>` all speak these words.
 */
const table = {
  "select-next": { description: "select the next machine", needs: "machine" },
  "select-previous": { description: "select the previous machine" },
  "select-first": { description: "select the first machine" },
  "select-last": { description: "select the last machine" },
  select: {
    description: "select a machine, or a session as machine:session",
    argument: "<machine>",
  },
  attach: {
    description: "attach: type into the selected pane, or into a machine's",
    argument: "[machine]",
    needs: "machine",
  },
  "send-detach": {
    description: "send the detach key to a machinen that runs in the pane, and attach",
    needs: "pane",
  },
  detach: { description: "stop typing into the machine" },
  new: { description: "start a new machine as the configuration says", argument: "[name]" },
  "new-machine": { description: "start a new machine: asks for image, memory, mounts, ports" },
  fork: {
    description: "fork the machine: memory, processes, screen",
    argument: "[machine] [name]",
    needs: "running",
  },
  snapshot: {
    description: "write a snapshot of the machine",
    argument: "[machine]",
    needs: "running",
  },
  restore: { description: "start a machine from a snapshot", argument: "[directory]" },
  stop: {
    description: "stop the machine (asks first)",
    argument: "[machine]",
    needs: "machine",
  },
  undo: { description: "bring back the machine stopped last, from its last snapshot" },
  rename: {
    description: "give the machine another name",
    argument: "[machine] <name>",
    needs: "machine",
  },
  tag: {
    description: "tag the machine: words to find it by",
    argument: "[machine] <words>",
    needs: "machine",
  },
  zoom: { description: "zoom the selected pane, or put it back", needs: "machine" },
  "split-right": {
    description: "a new session of the machine, to the right of the pane",
    argument: "[machine]",
    needs: "running",
  },
  "split-down": {
    description: "a new session of the machine, below the pane",
    argument: "[machine]",
    needs: "running",
  },
  "close-pane": { description: "close the pane; its session goes on", needs: "pane" },
  "next-pane": { description: "select the next pane of the tab", needs: "panes" },
  "previous-pane": { description: "select the previous pane of the tab", needs: "panes" },
  "focus-left": { description: "select the pane to the left", needs: "panes" },
  "focus-right": { description: "select the pane to the right", needs: "panes" },
  "focus-up": { description: "select the pane above", needs: "panes" },
  "focus-down": { description: "select the pane below", needs: "panes" },
  "next-page": { description: "show the next panes, where not all fit", needs: "pages" },
  "previous-page": { description: "show the panes before, where not all fit", needs: "pages" },
  "next-layout": { description: "arrange the panes in the next layout" },
  layout: {
    description:
      "arrange the panes: grid, even-horizontal, even-vertical, main-vertical, main-horizontal or stack",
    argument: "<layout>",
  },
  "swap-next": { description: "exchange the pane with the next one", needs: "panes" },
  "swap-previous": { description: "exchange the pane with the previous one", needs: "panes" },
  rotate: { description: "move every pane to the next place", needs: "panes" },
  "rotate-back": { description: "move every pane to the previous place", needs: "panes" },
  "resize-left": { description: "move the pane's border to the left", needs: "panes" },
  "resize-right": { description: "move the pane's border to the right", needs: "panes" },
  "resize-up": { description: "move the pane's border up", needs: "panes" },
  "resize-down": { description: "move the pane's border down", needs: "panes" },
  "new-tab": { description: "open a new tab", argument: "[name]" },
  "break-pane": { description: "move the pane into a tab of its own", needs: "panes" },
  "move-to-tab": { description: "move the pane into another tab", argument: "<number>" },
  "next-tab": { description: "look at the next tab", needs: "tabs" },
  "previous-tab": { description: "look at the previous tab", needs: "tabs" },
  tab: { description: "look at a tab", argument: "<number>" },
  "rename-tab": { description: "name the tab", argument: "<name>" },
  "close-tab": { description: "close the tab; its sessions go on", needs: "tabs" },
  "fork-many": {
    description: "fork the machine several times, and type a command into each",
    argument: "[machine] <count> [command]",
    needs: "running",
  },
  compare: {
    description: "the machine and its nearest relatives, or those named, side by side",
    argument: "[machines]",
    needs: "machine",
  },
  synchronize: {
    description: "type into all panes of the tab at once, or into one again",
    needs: "panes",
  },
  highlight: { description: "mark the cells in which the panes of the tab differ", needs: "panes" },
  differences: {
    description: "what differs between the machine and its source, or another one",
    argument: "[machine] [machine]",
    needs: "running",
  },
  keep: {
    description: "keep the machine of a comparison, stop the others (asks first)",
    argument: "[machine]",
    needs: "panes",
  },
  "toggle-sidebar": { description: "show or hide the list of machines" },
  "scroll-up": { description: "scroll the selected pane back", needs: "pane" },
  "scroll-down": { description: "scroll the selected pane forward", needs: "pane" },
  "copy-mode": { description: "copy mode: scroll, search, select and copy", needs: "pane" },
  paste: { description: "type what was copied last into the pane", needs: "pane" },
  "next-alert": { description: "select the pane that most needs attention" },
  mute: {
    description: "mute the machine's alerts, or hear them again",
    argument: "[machine]",
    needs: "machine",
  },
  "allow-clipboard": { description: "let the program that asks set the clipboard" },
  palette: { description: "find a command by typing part of it" },
  find: { description: "find a machine or session by part of its name or tags" },
  ls: { description: "list the machines and their sessions" },
  help: { description: "this help" },
  log: { description: "log: errors with their codes, finished work" },
  redraw: { description: "draw the whole screen again" },
  suspend: { description: "put machinen into the background" },
  quit: { description: "leave; the machines keep running" },
  ...copyCommands,
  "dialog-down": { description: "down", internal: true },
  "dialog-up": { description: "up", internal: true },
  "dialog-accept": { description: "accept", internal: true },
  "dialog-keep": { description: "write a snapshot, then stop", internal: true },
  "dialog-complete": { description: "complete the command", internal: true },
  "dialog-erase": { description: "erase a character", internal: true },
  "dialog-erase-word": { description: "erase a word", internal: true },
  "dialog-clear": { description: "erase the line", internal: true },
  "dialog-close": { description: "close", internal: true },
} as const satisfies Record<string, CommandSpec>;

export type CommandId = keyof typeof table;

export const commands: Readonly<Record<CommandId, CommandSpec>> = table;

/** Whether a command means nothing without words of its own. */
export function needsArgument({ argument }: CommandSpec): boolean {
  return argument?.includes("<") ?? false;
}

export function isCommand(word: string): word is CommandId {
  return Object.hasOwn(commands, word);
}

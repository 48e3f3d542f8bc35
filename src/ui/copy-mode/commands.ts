import type { CommandSpec } from "../commands.ts";

/** What can be done in copy mode, with the sentences of the help. */
const descriptions = {
  "copy-left": "move left",
  "copy-right": "move right",
  "copy-up": "move up",
  "copy-down": "move down",
  "copy-line-start": "to the start of the line",
  "copy-line-text": "to the first character of the line",
  "copy-line-end": "to the end of the line",
  "copy-word-next": "to the next word",
  "copy-word-previous": "to the previous word",
  "copy-word-end": "to the end of the word",
  "copy-space-next": "to the next word between spaces",
  "copy-space-previous": "to the previous word between spaces",
  "copy-space-end": "to the end of the word between spaces",
  "copy-top": "to the oldest line",
  "copy-bottom": "to the newest line",
  "copy-screen-top": "to the top of the screen",
  "copy-screen-middle": "to the middle of the screen",
  "copy-screen-bottom": "to the bottom of the screen",
  "copy-page-up": "a page back",
  "copy-page-down": "a page forward",
  "copy-half-up": "half a page back",
  "copy-half-down": "half a page forward",
  "copy-scroll-up": "scroll a line back",
  "copy-scroll-down": "scroll a line forward",
  "copy-paragraph-previous": "to the previous empty line",
  "copy-paragraph-next": "to the next empty line",
  "copy-prompt-previous": "to the previous prompt (where the shell marks them)",
  "copy-prompt-next": "to the next prompt",
  "copy-begin": "begin or end a selection",
  "copy-begin-line": "select whole lines",
  "copy-rectangle": "select a rectangle, or lines of text again",
  "copy-other-end": "to the other end of the selection",
  "copy-clear": "drop the selection; without one, leave",
  "copy-search": "search forward (a regular expression)",
  "copy-search-back": "search backward",
  "copy-search-next": "next match",
  "copy-search-previous": "previous match",
  "copy-accept": "copy the selection and leave",
  "copy-save": "write the selection, or everything, to a file",
  "copy-leave": "leave copy mode",
} as const;

export type CopyCommand = keyof typeof descriptions;

export const copyCommandNames = Object.keys(descriptions) as CopyCommand[];

/** They only mean something in copy mode. */
export const copyCommands = Object.fromEntries(
  Object.entries(descriptions).map(([name, description]) => [
    name,
    { description, internal: true },
  ]),
) as Record<CopyCommand, CommandSpec>;

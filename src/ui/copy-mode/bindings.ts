import type { KeyBinding, KeyMode } from "../keymap.ts";
import type { CopyCommand } from "./commands.ts";

type Keys = Partial<Record<CopyCommand, readonly string[]>>;

const shared: Keys = {
  "copy-prompt-previous": ["["],
  "copy-prompt-next": ["]"],
  "copy-search-next": ["n"],
  "copy-search-previous": ["N"],
};

const vi: Keys = {
  "copy-begin": ["v", "space"],
  "copy-begin-line": ["V"],
  "copy-rectangle": ["ctrl-v"],
  "copy-other-end": ["o"],
  "copy-accept": ["y", "enter"],
  "copy-save": ["S"],
  "copy-search": ["/"],
  "copy-search-back": ["?"],
  ...shared,
  "copy-left": ["h", "left", "backspace"],
  "copy-down": ["j", "down", "ctrl-n"],
  "copy-up": ["k", "up", "ctrl-p"],
  "copy-right": ["l", "right"],
  "copy-word-next": ["w"],
  "copy-word-previous": ["b"],
  "copy-word-end": ["e"],
  "copy-space-next": ["W"],
  "copy-space-previous": ["B"],
  "copy-space-end": ["E"],
  "copy-line-start": ["0", "home"],
  "copy-line-text": ["^"],
  "copy-line-end": ["$", "end"],
  "copy-top": ["g"],
  "copy-bottom": ["G"],
  "copy-screen-top": ["H"],
  "copy-screen-middle": ["M"],
  "copy-screen-bottom": ["L"],
  "copy-half-up": ["ctrl-u"],
  "copy-half-down": ["ctrl-d"],
  "copy-page-up": ["ctrl-b", "pageup"],
  "copy-page-down": ["ctrl-f", "pagedown"],
  "copy-scroll-up": ["ctrl-y", "K"],
  "copy-scroll-down": ["ctrl-e", "J"],
  "copy-paragraph-previous": ["{"],
  "copy-paragraph-next": ["}"],
  "copy-clear": ["escape"],
  "copy-leave": ["q", "ctrl-c"],
};

const emacs: Keys = {
  "copy-begin": ["ctrl-space"],
  "copy-begin-line": ["alt-l"],
  "copy-rectangle": ["R"],
  "copy-other-end": ["alt-x"],
  "copy-accept": ["alt-w", "ctrl-w", "enter"],
  "copy-save": ["alt-s"],
  "copy-search": ["ctrl-s"],
  "copy-search-back": ["ctrl-r"],
  ...shared,
  "copy-left": ["ctrl-b", "left"],
  "copy-down": ["ctrl-n", "down"],
  "copy-up": ["ctrl-p", "up"],
  "copy-right": ["ctrl-f", "right"],
  "copy-word-next": ["alt-f"],
  "copy-word-previous": ["alt-b"],
  "copy-line-start": ["ctrl-a", "home"],
  "copy-line-text": ["alt-m"],
  "copy-line-end": ["ctrl-e", "end"],
  "copy-top": ["alt-<"],
  "copy-bottom": ["alt->"],
  "copy-screen-middle": ["alt-r"],
  "copy-half-up": ["alt-up"],
  "copy-half-down": ["alt-down"],
  "copy-page-up": ["alt-v", "pageup"],
  "copy-page-down": ["ctrl-v", "pagedown", "space"],
  "copy-scroll-up": ["ctrl-up"],
  "copy-scroll-down": ["ctrl-down"],
  "copy-paragraph-previous": ["alt-{"],
  "copy-paragraph-next": ["alt-}"],
  "copy-clear": ["ctrl-g"],
  "copy-leave": ["q", "escape", "ctrl-c"],
};

/** Those that stand in the status line, which has room for few. */
const hints: Partial<Record<CopyCommand, string>> = {
  "copy-begin": "select",
  "copy-accept": "copy",
  "copy-search": "search",
  "copy-save": "save",
  "copy-leave": "leave",
};

function table(mode: KeyMode, keys: Keys): KeyBinding[] {
  return (Object.entries(keys) as [CopyCommand, readonly string[]][]).map(([command, names]) => ({
    mode,
    keys: names,
    command,
    ...(hints[command] && { hint: hints[command] }),
  }));
}

/** The keys of copy mode, as vi's users and as emacs' users expect them. */
export const copyBindings: readonly KeyBinding[] = [
  ...table("copy", vi),
  ...table("copy-emacs", emacs),
];

import { type LayoutName, layoutNames } from "../layout/named.ts";

/** One setting: what it is for, what it may be, and what it is when nothing is said. */
export interface Setting<T> {
  /** Lines above it in the default file and the documentation. */
  about: string;
  default: T;
  /** What is allowed, in words. */
  allowed: string;
  /** The value as it counts, or undefined when it is not allowed. */
  read(value: unknown): T | undefined;
}

export const themes = ["dark", "light", "high-contrast", "none"] as const;
export type ThemeName = (typeof themes)[number];

function choice<const T extends string>(
  options: readonly T[],
  value: NoInfer<T>,
  about: string,
): Setting<T> {
  return {
    about,
    default: value,
    allowed: `one of ${options.map((option) => `"${option}"`).join(", ")}`,
    read: (given) => options.find((option) => option === given),
  };
}

function onOff(value: boolean, about: string): Setting<boolean> {
  return {
    about,
    default: value,
    allowed: "true or false",
    read: (given) => (typeof given === "boolean" ? given : undefined),
  };
}

function wholeNumber(value: number, from: number, to: number, about: string): Setting<number> {
  return {
    about,
    default: value,
    allowed: `a whole number from ${from} to ${to}`,
    read: (given) =>
      Number.isInteger(given) && Number(given) >= from && Number(given) <= to
        ? Number(given)
        : undefined,
  };
}

function text(value: string, about: string): Setting<string> {
  return {
    about,
    default: value,
    allowed: "a text that is not empty",
    read: (given) => (typeof given === "string" && given !== "" ? given : undefined),
  };
}

/** A key that sends one byte: Ctrl with a letter or one of \ ] ^ _. */
function controlKey(value: string, about: string): Setting<string> {
  return {
    about,
    default: value,
    allowed: 'a control key, for example "ctrl-]" or "ctrl-b"',
    read: (given) =>
      typeof given === "string" && /^ctrl-[a-z\]\\^_]$/.test(given) && !unusable.has(given)
        ? given
        : undefined,
  };
}

/** These are Tab, Enter, Enter and Escape's own bytes, or too precious to take from a shell. */
const unusable = new Set(["ctrl-i", "ctrl-m", "ctrl-j"]);

/** Every setting of the configuration file, by table and name. Keys have a table of their own. */
export const settings = {
  "look.theme": choice(
    themes,
    "dark",
    "Colours that suit the terminal's background. high-contrast uses no dim text; none no colour.\nNO_COLOR and TERM=dumb mean none, whatever stands here.",
  ),
  "look.layout": choice<LayoutName>(
    layoutNames,
    "grid",
    "How the panes of a new tab are arranged.",
  ),
  "look.sidebar": onOff(true, "Show the list of machines where there is room for it."),
  "look.mouse": onOff(
    true,
    "Use the mouse. Without it the terminal selects text by itself, and guests get no mouse.",
  ),
  "scrollback.lines": wholeNumber(
    2000,
    0,
    100_000,
    "Lines kept above each pane's screen; 1000 lines of 100 columns take 1.2 MB.",
  ),
  "keyboard.detach": controlKey(
    "ctrl-]",
    "Typed twice in a row it stops typing into a machine; also for machinen attach.",
  ),
  "keyboard.copy": choice(
    ["vi", "emacs"],
    "vi",
    "The keys of copy mode: those of vi or those of emacs.",
  ),
  "programs.clipboard": choice(
    ["ask", "allow", "deny"],
    "ask",
    "What a program in a pane may do that wants to set the clipboard (OSC 52).\nReading the clipboard is always refused.",
  ),
  "programs.notifications": onOff(
    false,
    "Show desktop notifications of programs (OSC 9, OSC 777). Off, they count as a bell.",
  ),
  "attention.bell": onOff(true, "Let the bell of any pane be heard, unless its machine is muted."),
  "attention.silence": wholeNumber(
    15,
    0,
    86_400,
    "Seconds without output after a stretch of work until a pane is marked; 0 for never.",
  ),
  "new-machine.image": text("tiny", "tiny, debian, or the path of a rootfs tarball."),
  "new-machine.memory": wholeNumber(512, 64, 1_048_576, "Memory of a new machine, MiB."),
} as const;

export type SettingName = keyof typeof settings;

/** Every setting's value. */
export type Settings = {
  readonly [Name in SettingName]: (typeof settings)[Name] extends Setting<infer T> ? T : never;
};

export const defaultSettings = Object.fromEntries(
  Object.entries(settings).map(([name, setting]) => [name, setting.default]),
) as Settings;

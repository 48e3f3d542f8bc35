import type { ThemeName } from "./config/settings.ts";

/** A colour of the 16: its name for Ink, its number for cells. */
export interface ThemeColour {
  name: string;
  index: number;
}

/** What each part of the chrome is coloured with. Guests keep their own colours. */
export interface Theme {
  selected: ThemeColour;
  attached: ThemeColour;
  dialog: ThemeColour;
  work: ThemeColour;
  error: ThemeColour;
  /** Less important text may be dim. */
  dim: boolean;
  /** Fork families in turn. */
  families: readonly ThemeColour[];
}

const red = { name: "red", index: 1 };
const green = { name: "green", index: 2 };
const yellow = { name: "yellow", index: 3 };
const blue = { name: "blue", index: 4 };
const magenta = { name: "magenta", index: 5 };
const cyan = { name: "cyan", index: 6 };
const brightRed = { name: "redBright", index: 9 };
const brightGreen = { name: "greenBright", index: 10 };
const brightYellow = { name: "yellowBright", index: 11 };
const brightBlue = { name: "blueBright", index: 12 };
const brightMagenta = { name: "magentaBright", index: 13 };
const brightCyan = { name: "cyanBright", index: 14 };
const brightWhite = { name: "whiteBright", index: 15 };

const dark: Theme = {
  selected: cyan,
  attached: green,
  dialog: yellow,
  work: yellow,
  error: red,
  dim: true,
  families: [blue, magenta, yellow, cyan, green, red, brightBlue, brightMagenta, brightCyan],
};

/** On white, yellow and cyan cannot be read. */
const light: Theme = {
  selected: blue,
  attached: green,
  dialog: magenta,
  work: magenta,
  error: red,
  dim: true,
  families: [blue, magenta, red, green, cyan],
};

const highContrast: Theme = {
  selected: brightWhite,
  attached: brightGreen,
  dialog: brightYellow,
  work: brightYellow,
  error: brightRed,
  dim: false,
  families: [brightYellow, brightCyan, brightMagenta, brightGreen, brightWhite],
};

/** Without colour the names do not matter: nothing is drawn in them. */
const byName: Record<ThemeName, Theme> = {
  dark,
  light,
  "high-contrast": highContrast,
  none: dark,
};

export function themeNamed(name: ThemeName): Theme {
  return byName[name];
}

export function familyColour(theme: Theme, family: number): ThemeColour {
  return theme.families[family % theme.families.length]!;
}

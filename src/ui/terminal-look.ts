import chalk from "chalk";
import type { ThemeName } from "./config/settings.ts";
import type { ColourDepth } from "./screen/painter.ts";
import { type Theme, themeNamed } from "./theme.ts";

export interface TerminalLook {
  depth: ColourDepth;
  /** Borders of plain ASCII. */
  ascii: boolean;
  theme: Theme;
}

/** What the outer terminal can show and its user wants; also tells Ink's colour library. */
export function chooseLook(env: NodeJS.ProcessEnv, theme: ThemeName): TerminalLook {
  const depth = theme === "none" ? "none" : colourDepth(env);
  chalk.level = depth === "none" ? 0 : 1;
  return { depth, ascii: env.TERM === "dumb", theme: themeNamed(theme) };
}

function colourDepth(env: NodeJS.ProcessEnv): ColourDepth {
  const term = env.TERM ?? "";
  if ((env.NO_COLOR ?? "") !== "" || term === "dumb") return "none";
  if (/^(truecolor|24bit)$/i.test(env.COLORTERM ?? "") || /direct|truecolor/.test(term)) {
    return "truecolor";
  }
  return /256color|kitty|alacritty|ghostty|wezterm|foot/.test(term) ? "256" : "16";
}

import chalk from "chalk";
import type { ColourDepth } from "./screen/painter.ts";

export interface TerminalLook {
  depth: ColourDepth;
  /** Borders of plain ASCII. */
  ascii: boolean;
}

/** What the outer terminal can show, as its environment says; also tells Ink's colour library. */
export function chooseLook(env: NodeJS.ProcessEnv): TerminalLook {
  const depth = colourDepth(env);
  chalk.level = depth === "none" ? 0 : 1;
  return { depth, ascii: env.TERM === "dumb" };
}

function colourDepth(env: NodeJS.ProcessEnv): ColourDepth {
  const term = env.TERM ?? "";
  if ((env.NO_COLOR ?? "") !== "" || term === "dumb") return "none";
  if (/^(truecolor|24bit)$/i.test(env.COLORTERM ?? "") || /direct|truecolor/.test(term)) {
    return "truecolor";
  }
  return /256color|kitty|alacritty|ghostty|wezterm|foot/.test(term) ? "256" : "16";
}

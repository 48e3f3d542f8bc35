import type { XtermTerminal } from "./adapter.ts";
import { CELL_PIXELS } from "./mouse.ts";

export interface PaneColours {
  foreground: number;
  background: number;
}

/**
 * Answer what programs ask and xterm's core does not. (DA1, DA2, CPR, DECRQM, DECRQSS and the size
 * in cells are answered by the core.) Nothing is ever passed on to the outer terminal.
 */
export function answerQueries(
  terminal: XtermTerminal,
  colours: () => PaneColours,
  reply: (text: string) => void,
): void {
  const parser = terminal.parser;
  parser.registerCsiHandler({ prefix: ">", final: "q" }, () => {
    reply("\x1bP>|machinen\x1b\\");
    return true;
  });
  parser.registerCsiHandler({ final: "t" }, (params) => {
    const { width, height } = CELL_PIXELS;
    if (params[0] === 14) reply(`\x1b[4;${terminal.rows * height};${terminal.cols * width}t`);
    else if (params[0] === 16) reply(`\x1b[6;${height};${width}t`);
    else return false;
    return true;
  });
  // The kitty keyboard protocol: known, no flag set.
  parser.registerCsiHandler({ prefix: "?", final: "u" }, () => {
    reply("\x1b[?0u");
    return true;
  });
  // XTGETTCAP: no capability is told.
  parser.registerDcsHandler({ intermediates: "+", final: "q" }, () => {
    reply("\x1bP0+r\x1b\\");
    return true;
  });
  const colourOf = (slot: number) => (slot === 11 ? colours().background : colours().foreground);
  for (const first of [10, 11, 12]) {
    // One sequence may ask for several: `10;?;?` means 10 and 11.
    parser.registerOscHandler(first, (data) => {
      data.split(";", 13 - first).forEach((value, i) => {
        if (value === "?") reply(`\x1b]${first + i};${rgbText(colourOf(first + i))}\x1b\\`);
      });
      return true;
    });
  }
}

function rgbText(rgb: number): string {
  const channel = (shift: number) =>
    ((rgb >> shift) & 0xff).toString(16).padStart(2, "0").repeat(2);
  return `rgb:${channel(16)}/${channel(8)}/${channel(0)}`;
}

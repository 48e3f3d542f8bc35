import { CELL_PIXELS } from "./mouse.ts";
import { statusString } from "./status-strings.ts";
import { termcapAnswers } from "./termcap.ts";
import type { XtermCore, XtermTerminal } from "./xterm.ts";

/**
 * Answer what programs ask and xterm's core does not, or answers wrongly. (DA1, DA2, DECRQM and the
 * size in cells are answered by the core, colours and the keyboard by files of their own.) Nothing
 * is ever passed on to the outer terminal.
 */
export function answerQueries(
  terminal: XtermTerminal,
  core: XtermCore,
  reply: (text: string) => void,
): void {
  const { parser } = terminal;
  parser.registerCsiHandler({ prefix: "=", final: "c" }, () => {
    reply("\x1bP!|00000000\x1b\\");
    return true;
  });
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
  for (const prefix of [undefined, "?"]) {
    parser.registerCsiHandler({ prefix, final: "n" }, (params) => {
      if (params[0] !== 6) return false;
      reply(`\x1b[${prefix ?? ""}${cursorPosition(terminal, core)}R`);
      return true;
    });
  }
  parser.registerDcsHandler({ intermediates: "$", final: "q" }, (request) => {
    const value = statusString(core, request);
    if (value !== undefined) reply(`\x1bP1$r${value}\x1b\\`);
    return value !== undefined;
  });
  parser.registerDcsHandler({ intermediates: "+", final: "q" }, (request) => {
    reply(termcapAnswers(request));
    return true;
  });
}

// Within the margins in origin mode; on the last column while a wrap is pending.
function cursorPosition(terminal: XtermTerminal, core: XtermCore): string {
  const { x, y, scrollTop } = core.buffers.active;
  const top = core.coreService.decPrivateModes.origin ? scrollTop : 0;
  return `${y - top + 1};${Math.min(x, terminal.cols - 1) + 1}`;
}

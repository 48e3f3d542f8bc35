import { ByteWriter } from "../screen/byte-writer.ts";
import { SgrWriter } from "../screen/sgr.ts";
import { attributesOf } from "./cells.ts";
import type { XtermCore } from "./xterm.ts";

const CURSOR_STYLES = { block: 1, underline: 3, bar: 5 };

/** The value DECRQSS asks for, or undefined when xterm's own answer is right. */
export function statusString(core: XtermCore, request: string): string | undefined {
  if (request === "m") return `0${currentSgr(core)}m`;
  if (request !== " q") return undefined;
  const { cursorStyle, cursorBlink } = core.coreService.decPrivateModes;
  if (cursorStyle === undefined) return "0 q";
  return `${CURSOR_STYLES[cursorStyle] + (cursorBlink ? 0 : 1)} q`;
}

/** The parameters that set the current attributes, each after a semicolon. */
function currentSgr(core: XtermCore): string {
  const out = new ByteWriter();
  const { fg, bg, ext } = attributesOf(core._inputHandler._curAttrData);
  new SgrWriter(out, "truecolor").set(fg, bg, ext);
  return out
    .view(0)
    .toString("latin1")
    .replace(/\x1b\[/g, ";")
    .replace(/m/g, "");
}

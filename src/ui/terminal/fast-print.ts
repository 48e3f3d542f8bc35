import { CODE_MASK, COMBINED, WIDTH_SHIFT } from "../screen/cell.ts";
import type { XtermCore, XtermLine } from "./xterm.ts";

const CELL_WORDS = 3;
const HAS_EXTENDED = 0x10000000;
const NARROW = 1 << WIDTH_SHIFT;
/** What xterm keeps of a character of width 1 that joins nothing. */
const ASCII_PROPERTIES = 2;

/**
 * Most output is plain text: xterm asks for every character's width, joins and links, this only
 * whether it is one of ASCII's. Everything else is left to xterm.
 */
export function printAsciiFast(core: XtermCore): void {
  const handler = core._inputHandler;
  handler._parser.setPrintHandler((data, start, end) => {
    let at = start;
    while (at < end) {
      const next = printAscii(core, data, at, end);
      if (next > at) at = next;
      else if (isAscii(data[at] as number)) {
        // At the end of a line: xterm knows how to begin the next one.
        handler.print(data, at, at + 1);
        at++;
      } else {
        handler.print(data, at, end);
        return;
      }
    }
  });
}

function isAscii(code: number): boolean {
  return code >= 0x20 && code < 0x7f;
}

/** Prints as far as the line and ASCII go, and returns where that was; `start` when it cannot. */
function printAscii(core: XtermCore, data: Uint32Array, start: number, end: number): number {
  const handler = core._inputHandler;
  const { _activeBuffer: buffer, _curAttrData: attributes } = handler;
  const { fg, bg } = attributes;
  if (bg & HAS_EXTENDED || handler._charsetService.charset || core.coreService.modes.insertMode) {
    return start;
  }
  const line = buffer.lines.get(buffer.ybase + buffer.y) as XtermLine;
  const cells = line._data;
  let { x } = buffer;
  const limit = Math.min(end, start + line.length - x);
  if (start >= limit || !isAscii(data[start] as number)) return start;
  // Half of a wide character that is overwritten does not stay.
  if (x > 0 && (cells[(x - 1) * CELL_WORDS] as number) >>> WIDTH_SHIFT === 2) {
    line.setCellFromCodepoint(x - 1, 0, 1, attributes);
  }
  let at = start;
  for (let cell = x * CELL_WORDS; at < limit; at++, cell += CELL_WORDS) {
    const code = data[at] as number;
    if (!isAscii(code)) break;
    cells[cell] = code | NARROW;
    cells[cell + 1] = fg;
    cells[cell + 2] = bg;
  }
  x += at - start;
  buffer.x = x;
  handler._dirtyRowTracker.markDirty(buffer.y);
  handler._parser.precedingJoinState = ASCII_PROPERTIES;
  if (x < line.length) {
    const right = cells[x * CELL_WORDS] as number;
    if (right >>> WIDTH_SHIFT === 0 && (right & (CODE_MASK | COMBINED)) === 0) {
      line.setCellFromCodepoint(x, 0, 1, attributes);
    }
  }
  return at;
}

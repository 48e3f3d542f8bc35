import unicode11 from "@xterm/addon-unicode11";
import headless from "@xterm/headless";
import type { Grid } from "../../../src/ui/screen/grid.ts";

type Terminal = InstanceType<typeof headless.Terminal>;
type Cell = NonNullable<
  ReturnType<NonNullable<ReturnType<Terminal["buffer"]["active"]["getLine"]>>["getCell"]>
>;

/** A stock terminal emulator, read through its published interface only. */
export function referenceTerminal(cols: number, rows: number, scrollback = 0): Terminal {
  const terminal = new headless.Terminal({ cols, rows, scrollback, allowProposedApi: true });
  terminal.loadAddon(new unicode11.Unicode11Addon() as never);
  terminal.unicode.activeVersion = "11";
  return terminal;
}

export function writeTo(terminal: Terminal, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve) => terminal.write(data, resolve));
}

/** Every visible cell as a line of text: characters, width, colours, attributes. */
export function terminalCells(terminal: Terminal, offset = 0): string[] {
  const buffer = terminal.buffer.active;
  const cells: string[] = [];
  for (let y = 0; y < terminal.rows; y++) {
    const line = buffer.getLine(buffer.baseY - offset + y);
    let before = 0;
    for (let x = 0; x < terminal.cols; x++) {
      const cell = line?.getCell(x);
      const width = cell?.getWidth() ?? 1;
      // xterm can be left with halves of wide characters and lone marks: nothing to show there.
      const torn =
        width === 2 ? line?.getCell(x + 1)?.getWidth() !== 0 : width === 0 && before !== 2;
      before = torn ? 1 : width;
      cells.push(`${y},${x}: ${cell ? describe(cell, torn) : "missing"}`);
    }
  }
  return cells;
}

function describe(cell: Cell, torn: boolean): string {
  const width = torn ? 1 : cell.getWidth();
  const lone = /^(\p{M}|[\u200b\u200c]|\u200d)/u.test(cell.getChars());
  const text = width === 0 ? "" : torn || lone ? " " : cell.getChars() || " ";
  const fg = cell.isFgDefault() ? "-" : `${cell.getFgColorMode() >> 24}/${cell.getFgColor()}`;
  const bg = cell.isBgDefault() ? "-" : `${cell.getBgColorMode() >> 24}/${cell.getBgColor()}`;
  const extended = cell as unknown as {
    bg: number;
    fg: number;
    extended: { _ext: number; _urlId: number };
  };
  // The restore-cursor sequences leave shape bits behind; the flag alone decides.
  const underlined = (extended.fg & 0x10000000) !== 0;
  const flags = [
    cell.isBold() && "bold",
    cell.isDim() && "dim",
    cell.isItalic() && "italic",
    underlined && "underline",
    cell.isBlink() && "blink",
    cell.isInverse() && "inverse",
    cell.isInvisible() && "invisible",
    cell.isStrikethrough() && "strike",
    cell.isOverline() && "overline",
  ].filter(Boolean);
  // Underline shape and colour have no published getter.
  let underline = underlined ? " u1/-" : "";
  if (underlined && extended.bg & 0x10000000) {
    const colour = extended.extended._ext & 0x3ffffff;
    const mode = colour >> 24;
    const value = mode === 3 ? colour & 0xffffff : colour & 0xff;
    const style = (extended.extended._ext >> 26) & 7 || 1;
    underline = ` u${style}/${mode === 0 || colour === 0x3ffffff ? "-" : `${mode}/${value}`}`;
  }
  return `[${text}]${width} ${fg} ${bg} ${flags.join("+")}${underline}`;
}

/** The cells of a grid rectangle in the same words. */
export function gridCells(grid: Grid, left = 0, top = 0, w = grid.cols, h = grid.rows): string[] {
  const cells: string[] = [];
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const at = ((top + y) * grid.cols + left + x) * 4;
      const [content = 0, fg = 0, bg = 0, ext = 0] = grid.cells.subarray(at, at + 4);
      cells.push(`${y},${x}: ${words(content, fg, bg, ext, grid.textAt(left + x, top + y))}`);
    }
  }
  return cells;
}

function words(content: number, fg: number, bg: number, ext: number, text: string): string {
  const colour = (word: number) => {
    const mode = (word >> 24) & 3;
    return mode === 0 ? "-" : `${mode}/${word & (mode === 3 ? 0xffffff : 0xff)}`;
  };
  const underlined = (fg & 0x10000000) !== 0;
  const flags = [
    fg & 0x08000000 && "bold",
    bg & 0x08000000 && "dim",
    bg & 0x04000000 && "italic",
    underlined && "underline",
    fg & 0x20000000 && "blink",
    fg & 0x04000000 && "inverse",
    fg & 0x40000000 && "invisible",
    fg & 0x80000000 && "strike",
    bg & 0x40000000 && "overline",
  ].filter(Boolean);
  const underline = underlined ? ` u${(ext >> 26) & 7 || 1}/${colour(ext)}` : "";
  return `[${text}]${content >>> 22} ${colour(fg)} ${colour(bg)} ${flags.join("+")}${underline}`;
}

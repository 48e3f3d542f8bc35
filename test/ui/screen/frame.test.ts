import { describe, expect, it } from "vitest";
import { parseFrame } from "../../../src/ui/screen/frame.ts";
import { Grid } from "../../../src/ui/screen/grid.ts";
import { gridCells, referenceTerminal, terminalCells, writeTo } from "./reference-terminal.ts";
import { SeededRandom } from "./seeded-random.ts";

const PIECES = [
  "plain text ",
  "漢字",
  "e\u0301",
  "👩\u200d💻",
  "❤\ufe0f",
  "╭───╮",
  "\x1b[1m",
  "\x1b[22m",
  "\x1b[2;3m",
  "\x1b[38;5;208m",
  "\x1b[38;2;10;20;30m",
  "\x1b[48:2::9:8:7m",
  "\x1b[48;5;17m",
  "\x1b[31;42m",
  "\x1b[93m",
  "\x1b[104m",
  "\x1b[39m",
  "\x1b[49m",
  "\x1b[4m",
  "\x1b[4:3m",
  "\x1b[58;5;9m",
  "\x1b[58:2::1:2:3m",
  "\x1b[59m",
  "\x1b[21m",
  "\x1b[24m",
  "\x1b[7m",
  "\x1b[27;9m",
  "\x1b[29;53m",
  "\x1b[55m",
  "\x1b[0m",
  "\x1b[m",
  "\n",
  "\n",
];

describe("parseFrame", () => {
  it("gives the cells a terminal shows for the same frame", async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new SeededRandom(seed);
      const frame = Array.from({ length: 40 }, () => random.pick(PIECES)).join("");
      const cols = 400;
      const rows = frame.split("\n").length;
      const terminal = referenceTerminal(cols, rows);
      await writeTo(terminal, frame.replaceAll("\n", "\r\n"));
      const grid = new Grid(cols + 3, rows + 2);
      grid.fill(0, 0, cols + 3, rows + 2, { bg: 0x1000001 });
      parseFrame(frame, grid, 2, 1, cols, rows);
      expect(gridCells(grid, 2, 1, cols, rows), `seed ${seed}`).toEqual(terminalCells(terminal));
      // Nothing outside the rectangle was touched.
      expect(gridCells(grid, 0, 0, 2, rows + 2).every((cell) => cell.includes(" 1/1 "))).toBe(true);
    }
  }, 60_000);

  it("cuts what does not fit and blanks what is free", () => {
    const grid = new Grid(6, 3);
    grid.drawText(0, 1, "oldold");
    parseFrame("abcde漢\nx\n1\n2", grid, 0, 0, 6, 3);
    expect([0, 1, 2].map((y) => grid.rowText(y))).toEqual(["abcde", "x", "1"]);
    expect(grid.contentAt(5, 0)).toBe(32 | (1 << 22));
  });

  it("skips unfinished and foreign sequences", () => {
    const grid = new Grid(12, 1);
    parseFrame("a\x1b[2Jb\x1b]0;title\x07c\x1b[?25hd\x07\x1b[38;5", grid, 0, 0, 12, 1);
    expect(grid.rowText(0)).toBe("abcd");
  });

  it("keeps links that are safe to show", () => {
    const grid = new Grid(8, 1);
    parseFrame("\x1b]8;;https://a.b/\x07A\x1b]8;;\x07B\x1b]8;;javascript:x\x07C", grid, 0, 0, 8, 1);
    expect(Array.from(grid.links.subarray(0, 3), (id) => grid.linkTable.text(id))).toEqual([
      "https://a.b/",
      "",
      "",
    ]);
  });
});

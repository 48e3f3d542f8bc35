import { describe, expect, it } from "vitest";
import { Grid } from "../../../src/ui/screen/grid.ts";
import { type Cursor, Painter } from "../../../src/ui/screen/painter.ts";
import { scribble } from "./random-screen.ts";
import { gridCells, referenceTerminal, terminalCells, writeTo } from "./reference-terminal.ts";
import { SeededRandom } from "./seeded-random.ts";

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");
const CURSOR: Cursor = { x: 0, y: 0, visible: true, shape: "block", blink: false };

describe("Painter", () => {
  it("brings a terminal to exactly the grid's cells, frame after frame", async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = new SeededRandom(seed);
      const cols = 5 + random.below(60);
      const rows = 2 + random.below(14);
      const grid = new Grid(cols, rows);
      const scratch = new Grid(cols, rows);
      const painter = new Painter();
      const terminal = referenceTerminal(cols, rows);
      await writeTo(terminal, "leftovers \x1b[31;44m漢字 from before\r\nmore");
      for (let frame = 0; frame < 25; frame++) {
        scribble(grid, random, scratch, 1 + random.below(8));
        if (random.chance(0.05)) painter.invalidate();
        const x = random.below(cols);
        const y = random.below(rows);
        const cursor = { ...CURSOR, x, y, visible: random.chance(0.8) };
        await writeTo(terminal, Buffer.from(painter.paint(grid, cursor)));
        expect(terminalCells(terminal), `seed ${seed}, frame ${frame}`).toEqual(gridCells(grid));
        if (cursor.visible) {
          const { cursorX, cursorY } = terminal.buffer.active;
          expect([cursorX, cursorY], `seed ${seed}, frame ${frame}`).toEqual([x, y]);
        }
        expect(painter.paint(grid, cursor).length).toBe(0);
      }
    }
  }, 60_000);

  it("follows a grid that changes its size, and another grid", async () => {
    const random = new SeededRandom(7);
    const grid = new Grid(20, 6);
    const painter = new Painter();
    scribble(grid, random, new Grid(20, 6), 20);
    painter.paint(grid, null);
    grid.resize(31, 9);
    scribble(grid, random, new Grid(31, 9), 20);
    const terminal = referenceTerminal(31, 9);
    await writeTo(terminal, Buffer.from(painter.paint(grid, null)));
    expect(terminalCells(terminal)).toEqual(gridCells(grid));
    const other = new Grid(31, 9);
    other.drawText(3, 3, "another");
    await writeTo(terminal, Buffer.from(painter.paint(other, null)));
    expect(terminalCells(terminal)).toEqual(gridCells(other));
  });

  it("wraps frames in synchronized output and puts the cursor last", () => {
    const grid = new Grid(20, 3);
    const painter = new Painter();
    painter.paint(grid, CURSOR);
    grid.drawText(4, 1, "ok");
    expect(text(painter.paint(grid, { ...CURSOR, x: 6, y: 1, shape: "bar", blink: true }))).toBe(
      "\x1b[?2026h\x1b[2;5Hok\x1b[5 q\x1b[?2026l",
    );
    expect(text(painter.paint(grid, { ...CURSOR, x: 2, y: 2, shape: "bar", blink: true }))).toBe(
      "\x1b[3;3H",
    );
    expect(text(painter.paint(grid, null))).toBe("\x1b[?25l");
    expect(text(painter.paint(grid, null))).toBe("");
  });

  it("writes nothing when cells are drawn again as they were", () => {
    const grid = new Grid(40, 5);
    const painter = new Painter();
    grid.drawText(0, 0, "same 漢字 e\u0301", { fg: 0x1000002 });
    painter.paint(grid, null);
    grid.fill(0, 1, 40, 4);
    grid.drawText(0, 0, "same 漢字 e\u0301", { fg: 0x1000002 });
    expect(painter.paint(grid, null).length).toBe(0);
  });

  it("moves absolutely after characters whose width terminals disagree about", () => {
    const grid = new Grid(20, 1);
    const painter = new Painter();
    painter.paint(grid, null);
    grid.drawText(0, 0, "😀x");
    expect(text(painter.paint(grid, null))).toContain("😀\x1b[1;3Hx");
  });

  it("reduces colours to what the outer terminal has", () => {
    const paintWith = (depth: "256" | "16" | "none") => {
      const grid = new Grid(4, 1);
      const painter = new Painter({ depth });
      painter.paint(grid, null);
      grid.drawText(0, 0, "x", { fg: 0x3ff0000 | 0x8000000, bg: 0x2000000 | 21 });
      return text(painter.paint(grid, null));
    };
    expect(paintWith("256")).toContain("\x1b[1;38;5;196;48;5;21mx");
    expect(paintWith("16")).toContain("\x1b[1;91;44mx");
    expect(paintWith("none")).toContain("\x1b[1mx");
  });

  it("survives more combined texts than a table keeps", async () => {
    const grid = new Grid(64, 4);
    const painter = new Painter();
    const terminal = referenceTerminal(64, 4);
    for (let frame = 0; frame < 40; frame++) {
      for (let i = 0; i < 256; i++) {
        const mark = String.fromCodePoint(0x300 + (i % 0x60), 0x300 + frame);
        grid.drawText(i % 64, i >> 6, `${String.fromCharCode(97 + (i % 26))}${mark}`);
      }
      await writeTo(terminal, Buffer.from(painter.paint(grid, null)));
      expect(terminalCells(terminal)).toEqual(gridCells(grid));
    }
    expect(grid.texts.size).toBeLessThan(5000);
  });

  it("opens and closes links around their cells", () => {
    const grid = new Grid(20, 1);
    const painter = new Painter();
    painter.paint(grid, null);
    const id = grid.linkTable.id("https://example.org/");
    grid.put(1, 0, 65 | (1 << 22), 0, 0x10000000, 0, id);
    grid.drawText(2, 0, "b");
    const drawn = text(painter.paint(grid, null));
    expect(drawn).toContain("\x1b]8;;https://example.org/\x1b\\A\x1b]8;;\x1b\\b");
  });
});

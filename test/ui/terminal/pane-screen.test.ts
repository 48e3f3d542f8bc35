import { describe, expect, it } from "vitest";
import { Grid } from "../../../src/ui/screen/grid.ts";
import { Painter } from "../../../src/ui/screen/painter.ts";
import { PaneTerminal } from "../../../src/ui/terminal/pane-terminal.ts";
import {
  gridCells,
  referenceTerminal,
  terminalCells,
  writeTo,
} from "../screen/reference-terminal.ts";
import { SeededRandom } from "../screen/seeded-random.ts";
import { findProgram, type Recording, record } from "./program-output.ts";

/**
 * Feed a pane, a bare terminal, and an outer terminal behind grid and painter; compare all. Chunks
 * that are not copied are those whose changes must not be forgotten by the next copy.
 */
async function expectSameCells({ name, cols, rows, chunks }: Recording): Promise<void> {
  const bare = referenceTerminal(cols, rows, 1000);
  const outer = referenceTerminal(cols + 4, rows + 2);
  const pane = new PaneTerminal({ cols, rows });
  const grid = new Grid(cols + 4, rows + 2);
  const painter = new Painter();
  for (const [i, chunk] of chunks.entries()) {
    await writeTo(bare, chunk);
    pane.write(chunk);
    if (i % 4 === 1 && i + 1 < chunks.length) continue;
    pane.copyTo(grid, 3, 1, cols, rows);
    const expected = terminalCells(bare);
    expect(gridCells(grid, 3, 1, cols, rows), `${name}, chunk ${i}`).toEqual(expected);
    await writeTo(outer, Buffer.from(painter.paint(grid, null)));
    expect(terminalCells(outer), `${name} painted, chunk ${i}`).toEqual(gridCells(grid));
  }
  const { cursorX, cursorY } = bare.buffer.active;
  expect([pane.cursor.x, pane.cursor.y]).toEqual([Math.min(cursorX, cols - 1), cursorY]);
  pane.dispose();
}

const PROGRAMS: [name: string, args: string[], keys: string[]][] = [
  [
    "vim",
    ["-u", "NONE", "-N", "text"],
    ["", "Go", "漢e\u0301 new\x1b", "gg", "\x06", "/9 n\r", ":q!\r"],
  ],
  ["less", ["text"], ["", " ", "j", "/33\r", "G", "?2\r", "q"]],
  ["top", ["-d", "0.3"], ["", " ", "c", "q"]],
  ["htop", ["-d", "3"], ["", "\x1b[B", "t", "q"]],
];

describe("PaneTerminal's screen", () => {
  for (const [name, args, keys] of PROGRAMS) {
    const file = findProgram(name);
    it.skipIf(file === null)(
      `shows ${name} as a bare terminal does`,
      async () => {
        const recording = await record(name, file as string, args, keys);
        expect(Buffer.concat(recording.chunks).length).toBeGreaterThan(500);
        await expectSameCells(recording);
      },
      30_000,
    );
  }

  it("shows a shell's colours, tabs, scrolling and wide text as a bare terminal does", async () => {
    const script =
      "i=0; while [ $i -lt 60 ]; do printf '\\033[3%d;4%dmline\\t%d\\033[0m \\033[4:3m漢字\\033[24m\\r\\n' " +
      "$((i % 8)) $(((i + 3) % 8)) $i; i=$((i + 1)); done; printf '\\033[5;10r\\033[5HIn\\033[2L\\033[41m\\033[K'";
    await expectSameCells(await record("sh", "/bin/sh", ["-c", script], []));
  }, 30_000);

  it("shows random sequences as a bare terminal does", async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = new SeededRandom(seed);
      const cols = 2 + random.below(40);
      const rows = 1 + random.below(12);
      const chunks = Array.from({ length: 30 }, () => Buffer.from(randomOutput(random)));
      await expectSameCells({ name: `seed ${seed}`, cols, rows, chunks });
    }
  }, 60_000);

  it("takes any bytes at all", () => {
    const random = new SeededRandom(99);
    const grid = new Grid(30, 10);
    const painter = new Painter();
    const pane = new PaneTerminal({ cols: 30, rows: 10 });
    for (let i = 0; i < 300; i++) {
      const escapes = random.chance(0.5);
      const bytes = Array.from({ length: random.below(300) }, () => {
        return escapes && random.chance(0.2) ? 27 : random.below(256);
      });
      pane.write(Uint8Array.from(bytes));
      pane.copyTo(grid, 0, 0, 30, 10);
      painter.paint(grid, pane.cursor);
      // Only sequences of our own reach the outer terminal: no character is a control.
      for (let y = 0; y < 10; y++) expect(grid.rowText(y)).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
    }
    pane.dispose();
  }, 30_000);

  it("keeps a cell's text bounded", () => {
    const pane = new PaneTerminal({ cols: 20, rows: 4 });
    pane.write(`e${"\u0301".repeat(100_000)}`);
    const grid = new Grid(20, 4);
    pane.copyTo(grid, 0, 0, 20, 4);
    for (let y = 0; y < 4; y++) expect(grid.rowText(y).length).toBeLessThan(20 * 40);
    pane.dispose();
  });
});

function randomOutput(random: SeededRandom): string {
  const n = () => random.below(12);
  const pieces = [
    () => "text ",
    () => "漢字",
    () => "e\u0301",
    () => "👩\u200d💻 ",
    () => "\r\n",
    () => "\b\b",
    () => "\t",
    () => `\x1b[${n()};${n()}H`,
    () => `\x1b[${n()}${random.pick(["A", "B", "C", "D", "G", "d"])}`,
    () => `\x1b[${random.pick(["", 2, 3])}J`,
    () => `\x1b[${random.below(3)}K`,
    () => `\x1b[${n()}${random.pick(["@", "P", "X", "L", "M", "S", "T"])}`,
    () => `\x1b[3${n() % 8};4${n() % 8}m`,
    () => `\x1b[38;2;${n()};${n()};${n()}m`,
    () => `\x1b[4:${n() % 6};58:5:${n()}m`,
    () => `\x1b[${random.pick([0, 1, 2, 3, 5, 7, 8, 9, 22, 24, 27, 59])}m`,
    () => `\x1b[?${random.pick(["1049h", "1049l", "7l", "7h", "6h", "6l"])}`,
    () => `\x1b[${n()};${n()}r`,
    () => "\x1b[4h\x1b[4l\x1bM",
    () => random.pick(["\x1bc", "\x1b[!p", "\x1b#8", "\x1b[?1047h", "\x1b[?1047l"]),
    () => `\x1b[${n()}${random.pick([" @", " A", "'}", "'~", "b", "E", "F", "I", "Z"])}`,
    () => random.pick(["\x1b7", "\x1b8", "\x1bD", "\x1bE", "\x1b[s", "\x1b[u"]),
  ];
  return Array.from({ length: 1 + random.below(8) }, () => random.pick(pieces)()).join("");
}

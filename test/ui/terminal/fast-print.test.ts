import { expect, it } from "vitest";
import { unicodeProvider } from "../../../src/ui/screen/unicode.ts";
import { printAsciiFast } from "../../../src/ui/terminal/fast-print.ts";
import { coreOf, createTerminal, writeSync } from "../../../src/ui/terminal/xterm.ts";
import { SeededRandom } from "../screen/seeded-random.ts";

const COLS = 9;
const ROWS = 5;

/** What a terminal holds, cell words and all. */
function contents(terminal: ReturnType<typeof createTerminal>): unknown {
  const core = coreOf(terminal);
  const { lines, ybase, x, y } = core.buffers.active;
  const rows = Array.from({ length: lines.length }, (_, row) => {
    const line = lines.get(row)!;
    const cells = Array.from(line._data.subarray(0, COLS * 3));
    const combined = cells.flatMap((word, i) =>
      i % 3 === 0 && word & 0x200000 ? [[i / 3, line._combined[i / 3]]] : [],
    );
    const extended = cells.flatMap((word, i) => {
      if (i % 3 !== 2 || (word & 0x10000000) === 0) return [];
      const attributes = line._extendedAttrs[(i - 2) / 3];
      return [[(i - 2) / 3, attributes?._ext, attributes?._urlId]];
    });
    return { cells, combined, extended, wrapped: line.isWrapped };
  });
  const { precedingJoinState } = core._inputHandler._parser;
  return { rows, ybase, x, y, precedingJoinState };
}

it("knows what xterm keeps of an ASCII character", () => {
  for (let code = 0x20; code < 0x7f; code++) {
    for (const before of [0, 2, 4, 5, 13]) {
      expect(unicodeProvider.charProperties(code, before)).toBe(2);
    }
  }
});

it("leaves the same cells as xterm's own printing, whatever comes in whatever pieces", () => {
  const random = new SeededRandom(20261122);
  const texts = [
    "a",
    "bc",
    " ",
    "~",
    "word and word",
    "a long line, longer than two of them",
    "x\x7fy",
  ];
  const wide = ["漢", "漢字", "e\u0301", "\u0301", "👍", "a\u0301\u0302b", "\u200d", "é"];
  const controls = ["\r", "\n", "\r\n", "\b", "\t", "\x0e", "\x0f"];
  const sequences = [
    "\x1b[31m",
    "\x1b[1;48;5;200m",
    "\x1b[4:3;58:2::1:2:3m",
    "\x1b[m",
    "\x1b[7m",
    "\x1b[4h",
    "\x1b[4l",
    "\x1b[?7l",
    "\x1b[?7h",
    "\x1b(0",
    "\x1b(B",
    "\x1b)0",
    "\x1b[K",
    "\x1b[1K",
    "\x1b[2P",
    "\x1b[3@",
    "\x1b[2X",
    "\x1b[4b",
    "\x1b[2;4r",
    "\x1b[r",
    "\x1b]8;;https://a.b/\x07",
    "\x1b]8;;\x07",
    "\x1b[?1049h",
    "\x1b[?1049l",
    "\x1b[2J",
  ];
  const move = () => `\x1b[${1 + random.below(ROWS)};${1 + random.below(COLS)}H`;
  for (let round = 0; round < 150; round++) {
    const [plain, fast] = [createTerminal(COLS, ROWS, 3), createTerminal(COLS, ROWS, 3)] as const;
    printAsciiFast(coreOf(fast));
    let written = "";
    for (let piece = 0; piece < 40; piece++) {
      let text = "";
      for (let part = 1 + random.below(4); part > 0; part--) {
        const kind = random.next();
        text +=
          kind < 0.4
            ? random.pick(texts)
            : kind < 0.6
              ? random.pick(wide)
              : kind < 0.7
                ? random.pick(controls)
                : kind < 0.85
                  ? random.pick(sequences)
                  : move();
      }
      written += text;
      const bytes = Buffer.from(text);
      const cut = random.below(bytes.length);
      for (const terminal of [plain, fast]) {
        writeSync(terminal, bytes.subarray(0, cut));
        writeSync(terminal, bytes.subarray(cut));
      }
      expect(contents(fast), JSON.stringify(written)).toEqual(contents(plain));
    }
    plain.dispose();
    fast.dispose();
  }
});

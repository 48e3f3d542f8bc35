import { expect, it } from "vitest";
import { unicodeProvider } from "../../../src/ui/screen/unicode.ts";
import { printAsciiFast } from "../../../src/ui/terminal/fast-print.ts";
import { scrollFast } from "../../../src/ui/terminal/fast-scroll.ts";
import {
  coreOf,
  createTerminal,
  writeSync,
  type XtermTerminal,
} from "../../../src/ui/terminal/xterm.ts";
import { SeededRandom } from "../screen/seeded-random.ts";

const COLS = 9;
const ROWS = 5;
const SCROLLBACK = 3;

const texts = ["a", "bc", " ", "~", "word and word", "a long line, longer than two", "x\x7fy"];
const wide = ["漢", "漢字", "e\u0301", "\u0301", "👍", "a\u0301\u0302b", "\u200d", "é"];
const controls = ["\r", "\n", "\r\n", "\r\n\r\n\r\n", "\b", "\t", "\x0e", "\x0f", "\x1bD", "\x1bM"];
const modes = ["[4h", "[4l", "[?7l", "[?7h", "(0", "(B", ")0", "[2;4r", "[r", "[?1049h", "[?1049l"];
const styles = ["[31m", "[1;48;5;200m", "[4:3;58:2::1:2:3m", "[m", "[7m"];
const links = ["]8;;https://a.b/\x07", "]8;;\x07"];
const edits = ["[K", "[1K", "[2P", "[3@", "[2X", "[4b", "[2J", "[2S", "[T", "[L", "[M"];
const sequences = [...modes, ...styles, ...links, ...edits].map((text) => `\x1b${text}`);

function randomText(random: SeededRandom): string {
  const move = `\x1b[${1 + random.below(ROWS)};${1 + random.below(COLS)}H`;
  const kinds = [texts, texts, wide, controls, sequences, [move]];
  return Array.from({ length: 1 + random.below(4) }, () => random.pick(random.pick(kinds))).join(
    "",
  );
}

/** What a terminal holds, cell words and what lies beside them. */
function contents(terminal: XtermTerminal): unknown {
  const core = coreOf(terminal);
  const { lines, ybase, x, y } = core.buffers.active;
  const rows = Array.from({ length: lines.length }, (_, row) => {
    const line = lines.get(row)!;
    const cells = Array.from(line._data.subarray(0, COLS * 3));
    const beside = Object.entries(line._extendedAttrs).map(([column, attributes]) => [
      column,
      attributes?._ext,
      attributes?._urlId,
    ]);
    return { cells, combined: { ...line._combined }, beside, wrapped: line.isWrapped };
  });
  const { precedingJoinState } = core._inputHandler._parser;
  return { rows, ybase, x, y, precedingJoinState };
}

/** After every piece: the contents of a terminal that is given random output in random pieces. */
function pictures(seed: number, prepare: (terminal: XtermTerminal) => void): unknown[] {
  const random = new SeededRandom(seed);
  const terminal = createTerminal(COLS, ROWS, SCROLLBACK);
  prepare(terminal);
  const seen = Array.from({ length: 40 }, () => {
    const text = randomText(random);
    const bytes = Buffer.from(text);
    const cut = random.below(bytes.length);
    writeSync(terminal, bytes.subarray(0, cut));
    writeSync(terminal, bytes.subarray(cut));
    return [text, contents(terminal)];
  });
  terminal.dispose();
  return seen;
}

it("knows what xterm keeps of an ASCII character", () => {
  for (let code = 0x20; code < 0x7f; code++) {
    for (const before of [0, 2, 4, 5, 13]) {
      expect(unicodeProvider.charProperties(code, before)).toBe(2);
    }
  }
});

it("leaves the same cells as xterm's own printing and scrolling, whatever comes in whatever pieces", () => {
  const seeds = Array.from({ length: 150 }, (_, round) => 20261122 + round);
  // First all of xterm's own: fast scrolling changes the lines of every terminal.
  const own = seeds.map((seed) => pictures(seed, () => {}));
  const fast = seeds.map((seed) =>
    pictures(seed, (terminal) => {
      printAsciiFast(coreOf(terminal));
      scrollFast(coreOf(terminal));
    }),
  );
  for (const [round, seen] of fast.entries()) expect(seen).toEqual(own[round]);
});

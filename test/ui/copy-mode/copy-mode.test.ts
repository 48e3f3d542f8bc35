import { describe, expect, it } from "vitest";
import type { CopyCommand } from "../../../src/ui/copy-mode/commands.ts";
import { copyCommandNames } from "../../../src/ui/copy-mode/commands.ts";
import type { CopyMode } from "../../../src/ui/copy-mode/copy-mode.ts";
import { drawCopyMode } from "../../../src/ui/copy-mode/draw.ts";
import { resizeCopyMode } from "../../../src/ui/copy-mode/resize.ts";
import { FG_INVERSE } from "../../../src/ui/screen/cell.ts";
import { Grid } from "../../../src/ui/screen/grid.ts";
import { SeededRandom } from "../screen/seeded-random.ts";
import { copyModeOn } from "./support.ts";

const at = ({ cursor }: CopyMode): [number, number] => [cursor.row, cursor.x];

function after(mode: CopyMode, ...commands: CopyCommand[]): [number, number] {
  for (const command of commands) mode.run(command);
  return at(mode);
}

function search(mode: CopyMode, text: string, back = false): void {
  mode.run(back ? "copy-search-back" : "copy-search");
  for (let i = 1; i <= text.length; i++) mode.typed(text.slice(0, i));
  mode.closePrompt(true);
}

describe("the cursor", () => {
  it("moves by words, lines and pages, and stays inside", () => {
    const { mode } = copyModeOn("one two.three\n\n  four 漢字 x\n$ ");
    expect(after(mode, "copy-top")).toEqual([0, 0]);
    expect(after(mode, "copy-up", "copy-left")).toEqual([0, 0]);
    expect(after(mode, "copy-word-next")).toEqual([0, 4]);
    expect(after(mode, "copy-word-next")).toEqual([0, 7]);
    expect(after(mode, "copy-space-previous")).toEqual([0, 4]);
    expect(after(mode, "copy-word-end")).toEqual([0, 6]);
    expect(after(mode, "copy-space-end")).toEqual([0, 12]);
    expect(after(mode, "copy-word-next")).toEqual([2, 2]);
    expect(after(mode, "copy-word-next")).toEqual([2, 7]);
    expect(after(mode, "copy-right")).toEqual([2, 9]);
    expect(after(mode, "copy-left")).toEqual([2, 7]);
    expect(after(mode, "copy-line-end")).toEqual([2, 12]);
    expect(after(mode, "copy-line-text")).toEqual([2, 2]);
    expect(after(mode, "copy-paragraph-previous")).toEqual([1, 0]);
    expect(after(mode, "copy-word-previous")).toEqual([0, 8]);
    expect(after(mode, "copy-screen-bottom")).toEqual([3, 0]);
    expect(after(mode, "copy-bottom", "copy-down")).toEqual([3, 0]);
  });

  it("shows the part of the history it is in", () => {
    const lines = Array.from({ length: 30 }, (_, i) => `line ${i}`).join("\n");
    const { mode } = copyModeOn(lines);
    expect([mode.top, mode.height, mode.snapshot.length]).toEqual([26, 4, 30]);
    after(mode, "copy-page-up");
    expect(mode.cursor.row).toBe(27);
    after(mode, "copy-half-up", "copy-half-up", "copy-half-up");
    expect([mode.cursor.row, mode.top]).toEqual([21, 21]);
    mode.scrollBy(3);
    expect([mode.cursor.row, mode.top]).toEqual([21, 18]);
    mode.scrollBy(-100);
    expect([mode.cursor.row, mode.top]).toEqual([26, 26]);
    expect(mode.mark).toBe("copy 0/26");
  });

  it("jumps between prompts the shell has marked", () => {
    const prompt = "\x1b]133;A\x07$ ";
    const { mode } = copyModeOn(`${prompt}a\nout\n${prompt}b\nout\nout\n${prompt}`);
    expect(after(mode, "copy-prompt-previous")).toEqual([2, 0]);
    expect(after(mode, "copy-prompt-previous", "copy-prompt-previous")).toEqual([0, 0]);
    expect(after(mode, "copy-prompt-next")).toEqual([2, 0]);
  });
});

describe("a selection", () => {
  it("takes characters, lines that go on below as one, and no spaces at line ends", () => {
    const { mode } = copyModeOn("ab  \nthis is longer than twenty\nend", { rows: 6 });
    after(mode, "copy-top", "copy-begin", "copy-bottom", "copy-up", "copy-up", "copy-line-end");
    expect(mode.selected?.text()).toBe("ab\nthis is longer than twenty\nend");
    after(mode, "copy-clear", "copy-top", "copy-down", "copy-begin-line");
    mode.clearSelection();
    after(mode, "copy-begin-line");
    expect(mode.selected?.text()).toBe("this is longer than twenty\n");
    expect([mode.selected?.span(1), mode.selected?.span(2), mode.selected?.span(3)]).toEqual([
      { from: 0, to: 20 },
      { from: 0, to: 20 },
      undefined,
    ]);
  });

  it("never cuts a wide character", () => {
    const { mode } = copyModeOn("a漢字b");
    after(mode, "copy-line-start", "copy-right", "copy-begin", "copy-right");
    expect(mode.selected?.text()).toBe("漢字");
    after(mode, "copy-rectangle");
    expect(mode.selected?.span(0)).toEqual({ from: 1, to: 5 });
  });

  it("takes a rectangle from either corner", () => {
    const { mode } = copyModeOn("abcd\nefgh\nij");
    after(mode, "copy-top", "copy-right", "copy-rectangle", "copy-down", "copy-down", "copy-right");
    expect(mode.selected?.text()).toBe("bc\nfg\nj");
    after(mode, "copy-other-end");
    expect(at(mode)).toEqual([0, 1]);
    expect(mode.selected?.text()).toBe("bc\nfg\nj");
  });

  it("takes the word or path under a double click", () => {
    const { mode } = copyModeOn('see "/usr/lib/x-1.so", now');
    mode.select("words", mode.pointAt(8, 0));
    mode.moveTo(mode.pointAt(8, 0));
    expect(mode.selected?.text()).toBe("/usr/lib/x-1.so");
  });

  it("writes everything when nothing is selected", () => {
    expect(copyModeOn("a\n\nb\n\n").mode.allText()).toBe("a\n\nb\n");
  });
});

describe("a search", () => {
  const text = "alpha beta\nGamma alpha\nlong line with alphabet\n$ ";

  it("follows what is typed, marks every match and goes round", () => {
    const { mode } = copyModeOn(text, { rows: 6 });
    after(mode, "copy-top");
    search(mode, "alph.");
    expect(at(mode)).toEqual([1, 6]);
    expect(mode.matchSpans(0)).toEqual([{ from: 0, to: 5, current: false }]);
    expect(mode.matchSpans(1)).toEqual([{ from: 6, to: 11, current: true }]);
    expect(mode.mark).toMatch(/2 of 3$/);
    // The last one stands across the end of a row.
    expect(after(mode, "copy-search-next")).toEqual([2, 15]);
    expect(mode.matchSpans(2)).toEqual([{ from: 15, to: 20, current: true }]);
    expect(after(mode, "copy-search-next")).toEqual([0, 0]);
    expect(mode.message).toContain("again");
    expect(after(mode, "copy-search-previous")).toEqual([2, 15]);
  });

  it("knows small letters from capitals only when there are capitals", () => {
    const { mode } = copyModeOn(text, { rows: 6 });
    search(mode, "gamma", true);
    expect(at(mode)).toEqual([1, 0]);
    search(mode, "Alpha", true);
    expect(mode.message).toBe("not found");
  });

  it("gives up without a trace", () => {
    const { mode } = copyModeOn(text, { rows: 6 });
    const before = at(mode);
    mode.run("copy-search-back");
    mode.typed("alpha");
    expect(at(mode)).not.toEqual(before);
    mode.closePrompt(false);
    expect(at(mode)).toEqual(before);
    expect(mode.matchSpans(0)).toEqual([]);
  });

  it("takes what is no expression as it stands", () => {
    const { mode } = copyModeOn("a(b\n$ ");
    search(mode, "a(", true);
    expect(at(mode)).toEqual([0, 0]);
  });

  it("ends although a pattern would take for ever", () => {
    const { mode } = copyModeOn(`${"a".repeat(79)}b\n`, { cols: 80 });
    search(mode, "(a+)+$");
    expect(mode.message).toContain("too long");
  });
});

describe("a resize", () => {
  it("keeps cursor and selection on their characters", () => {
    const { mode, pane } = copyModeOn("0123456789 abcdefghij klmno\nnext\n$ ", { rows: 5 });
    after(mode, "copy-top", "copy-word-next", "copy-begin", "copy-word-end");
    expect(mode.selected?.text()).toBe("abcdefghij");
    for (const cols of [8, 33, 11, 20]) {
      resizeCopyMode(mode, () => {
        pane.resize(cols, 5);
        return pane.snapshot();
      });
      expect(mode.selected?.text(), `${cols} columns`).toBe("abcdefghij");
    }
  });

  it("finds its line although the pane went on, or forgets it when it is gone", () => {
    const { mode, pane } = copyModeOn("first\nsecond\n", { scrollback: 10 });
    after(mode, "copy-top", "copy-down");
    const resized = (cols: number) =>
      resizeCopyMode(mode, () => {
        pane.resize(cols, 4);
        return pane.snapshot();
      });
    pane.write("\r\nmore".repeat(6));
    resized(15);
    expect(mode.snapshot.textOf(mode.cursor.row)).toBe("second");
    pane.write("\r\nmore".repeat(60));
    resized(18);
    expect(mode.snapshot.textOf(mode.cursor.row)).toBe("more");
  });
});

describe("drawing", () => {
  it("inverts what is selected and shows the prompt with the cursor in it", () => {
    const { mode } = copyModeOn("abc\ndef");
    after(mode, "copy-top", "copy-begin", "copy-right");
    const grid = new Grid(24, 6);
    const inside = { x: 2, y: 1, width: 20, height: 4 };
    expect(drawCopyMode(mode, grid, inside, true)).toMatchObject({ x: 3, y: 1, visible: true });
    const inverse = (x: number, y: number) =>
      (grid.cells[(y * 24 + x) * 4 + 1]! & FG_INVERSE) !== 0;
    expect([inverse(1, 1), inverse(2, 1), inverse(3, 1), inverse(4, 1)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
    mode.run("copy-search");
    mode.typed("de");
    expect(drawCopyMode(mode, grid, inside, true)).toMatchObject({ x: 5, y: 4 });
    expect(grid.rowText(4)).toBe("  /de");
  });
});

it("takes any commands on any text without leaving the picture", () => {
  const random = new SeededRandom(7);
  const pieces = [
    "word ",
    "漢字",
    "e\u0301",
    "\n",
    "x.y/z ",
    "\x1b]133;A\x07",
    " ".repeat(9),
    "👩\u200d💻",
  ];
  for (let round = 0; round < 60; round++) {
    const text = Array.from({ length: random.below(120) }, () => random.pick(pieces)).join("");
    const size = { cols: 2 + random.below(30), rows: 1 + random.below(8), scrollback: 20 };
    const { mode, pane } = copyModeOn(text, size);
    const grid = new Grid(40, 10);
    for (let i = 0; i < 60; i++) {
      if (random.chance(0.1))
        search(mode, random.pick(["w", ".", "漢", "[", "z x"]), random.chance(0.5));
      else if (random.chance(0.05)) {
        resizeCopyMode(mode, () => {
          pane.resize(2 + random.below(30), 1 + random.below(8));
          return pane.snapshot();
        });
      } else mode.run(random.pick(copyCommandNames));
      const { cursor, snapshot, top, height } = mode;
      expect(cursor.row).toBeGreaterThanOrEqual(top);
      expect(cursor.row).toBeLessThan(Math.min(top + height, snapshot.length));
      expect(cursor.x).toBeGreaterThanOrEqual(0);
      expect(cursor.x).toBeLessThan(snapshot.cols);
      expect(() => mode.selected?.text()).not.toThrow();
      drawCopyMode(mode, grid, { x: 1, y: 1, width: 38, height: 8 }, random.chance(0.5));
    }
  }
});

import { describe, expect, it } from "vitest";
import { Grid } from "../../../src/ui/screen/grid.ts";
import { scribble } from "./random-screen.ts";
import { SeededRandom } from "./seeded-random.ts";

describe("Grid", () => {
  it("never holds half a wide character, whatever is drawn where", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new SeededRandom(seed);
      const grid = new Grid(3 + random.below(30), 1 + random.below(10));
      const scratch = new Grid(grid.cols, grid.rows);
      for (let round = 0; round < 30; round++) {
        scribble(grid, random, scratch, 1);
        for (let y = 0; y < grid.rows; y++) {
          for (let x = 0; x < grid.cols; x++) {
            const wide = grid.contentAt(x, y) >>> 22 === 2;
            const nextIsTail = x + 1 < grid.cols && grid.contentAt(x + 1, y) === 0;
            expect(nextIsTail, `seed ${seed}, round ${round}, cell ${x},${y}`).toBe(wide);
          }
          expect(grid.contentAt(0, y)).not.toBe(0);
        }
      }
    }
  }, 60_000);

  it("raises a row's version exactly when a cell of it changes", () => {
    const grid = new Grid(10, 3);
    const before = [...grid.rowVersions];
    grid.fill(0, 0, 10, 3);
    expect([...grid.rowVersions]).toEqual(before);
    grid.drawText(2, 1, "hi");
    expect(grid.rowVersions[0]).toBe(before[0]);
    expect(grid.rowVersions[1]).not.toBe(before[1]);
  });

  it("replaces wide characters cut by an edge with spaces", () => {
    const from = new Grid(6, 1);
    from.drawText(0, 0, "漢字漢");
    const to = new Grid(6, 1);
    to.drawText(0, 0, "......");
    to.copyFrom(from, 1, 0, 4, 1, 1, 0);
    expect(to.rowText(0)).toBe(". 字 .");
  });

  it("returns the columns it drew, and stops at the given width", () => {
    const grid = new Grid(20, 1);
    expect(grid.drawText(0, 0, "ab漢e\u0301", {}, 20)).toBe(5);
    expect(grid.drawText(10, 0, "漢漢", {}, 3)).toBe(3);
    expect(grid.rowText(0)).toBe("ab漢e\u0301     漢");
  });

  it("draws no control and no direction override", () => {
    const grid = new Grid(10, 1);
    grid.drawText(0, 0, "a\x1b\u202eb\u2066c");
    expect(grid.rowText(0)).not.toMatch(/[\x1b\u202e\u2066]/);
  });
});

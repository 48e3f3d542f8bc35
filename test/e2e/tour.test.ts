import { afterAll, describe, expect, test } from "vitest";
import { bases } from "../runtime/machine/bases.ts";
import { World } from "./support/world.ts";

describe.each(bases)("the tour on the $name base", (base) => {
  const world = new World(base);
  afterAll(() => world.dispose());

  test("without a terminal the whole path is told as text, and nothing is left", async () => {
    const { code, stdout, stderr } = await world.run([]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    for (const word of [/boot/i, /exec/i, /fork/i, /stop/i]) expect(stdout).toMatch(word);
    expect(world.processes()).toEqual([]);
    expect(world.leftovers()).toEqual([]);
    expect(JSON.parse(await world.ok(["ls", "--json"]))).toEqual([]);
  });
});

import { afterAll, expect, test } from "vitest";
import { World } from "./support/world.ts";

const world = new World();
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

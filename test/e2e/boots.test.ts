import { spawn } from "node:child_process";
import { afterAll, describe, expect, test } from "vitest";
import { oneBase } from "../runtime/machine/bases.ts";
import { World } from "./support/world.ts";

describe.each(oneBase("tiny"))("cold boots on the $name base", (base) => {
  const world = new World(base);
  world.env.MACHINEN_TEMPLATES = "0";
  afterAll(() => world.dispose());

  test("20 cold boots in a row answer while another process keeps a core busy", async () => {
    const busy = spawn(process.execPath, ["-e", "for (;;) {}"]);
    try {
      const answers: string[] = [];
      for (let i = 0; i < 20; i++) {
        const name = `cold${i}`;
        await world.boot(name);
        answers.push((await world.ok(["exec", name, "--", "echo", "alive", name])).trim());
        await world.ok(["stop", name]);
      }
      expect(answers).toEqual(Array.from({ length: 20 }, (_, i) => `alive cold${i}`));
    } finally {
      busy.kill("SIGKILL");
    }
    expect(world.processes()).toEqual([]);
  }, 400_000);
});

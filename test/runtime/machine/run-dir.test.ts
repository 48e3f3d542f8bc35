import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, expect, test } from "vitest";
import { collectGarbage } from "../../../src/runtime/machine/gc.ts";
import { createRunDir, removeRunDir, runRoot } from "../../../src/runtime/machine/run-dir.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
afterAll(() => scratch.remove());
/** Far more than there are. */
const MOST_STEPS = 50;

test("a process killed at any step of making or removing a run directory leaves nothing that gc does not find", async () => {
  const program = join(scratch.path, "program.mjs");
  await build({
    entryPoints: [new URL("./crashing-run-dir.ts", import.meta.url).pathname],
    outfile: program,
    bundle: true,
    splitting: false,
    platform: "node",
    format: "esm",
  });
  let step = 1;
  for (; step <= MOST_STEPS; step++) {
    const { stdout, signal } = spawnSync(process.execPath, [program, String(step)], {
      encoding: "utf8",
    });
    if (stdout === "whole\n") break;
    expect(signal, `step ${step}`).toBe("SIGKILL");
    collectGarbage();
    expect(scratch.runDirs(), `killed at step ${step}`).toEqual([]);
  }
  expect(step).toBeGreaterThan(4);
  expect(step).toBeLessThan(MOST_STEPS);
});

test("a directory that is being made or used is left alone, the rest of one goes", () => {
  const inUse = createRunDir().path;
  const beingMade = join(runRoot(), `.${process.pid}-0123456789ab`);
  mkdirSync(beingMade);
  const rest = createRunDir().path;
  rmSync(join(rest, "owner"));
  collectGarbage({ dryRun: true });
  expect(scratch.runDirs().sort()).toEqual([beingMade, inUse, rest].sort());
  collectGarbage();
  expect(scratch.runDirs().sort()).toEqual([beingMade, inUse].sort());
  for (const path of [beingMade, inUse]) removeRunDir(path);
});

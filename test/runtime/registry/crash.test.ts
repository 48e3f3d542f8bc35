import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, it } from "vitest";
import {
  addEntry,
  claimName,
  list,
  readEntry,
  registryRoot,
  runGc,
} from "../../../src/runtime/registry/index.ts";
import { useScratchRegistry } from "./scratch.ts";

const scratch = useScratchRegistry();
/** Far more than there are: a run that never gets to its end is a fault too. */
const MOST_STEPS = 200;

function run(program: string, step: number, files: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, String(step), files], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
    });
    child.once("close", (code, signal) => resolve(text.trim() || String(signal ?? code)));
  });
}

it("survives the death of a writer at every change it makes", async () => {
  const program = join(scratch.dir, "writer.mjs");
  await build({
    entryPoints: [new URL("./crashing-writer.ts", import.meta.url).pathname],
    outfile: program,
    bundle: true,
    splitting: false,
    platform: "node",
    format: "esm",
  });
  const other = scratch.sleeper();
  const kept = { pid: other.pid, name: "other", socketPath: "/run/o", startedAt: Date.now() };
  const otherClaim = claimName("other");
  addEntry(kept);
  otherClaim.commit(other.pid);

  let step = 1;
  for (; step <= MOST_STEPS; step++) {
    const files = join(scratch.dir, `files-${step}`);
    mkdirSync(files);
    const outcome = await run(program, step, files);
    if (outcome === "whole") break;
    expect(outcome, `step ${step}`).toBe("SIGKILL");
    const at = `killed at step ${step}`;
    // Others see nothing of it: their machines are there, whole, and the dead one's is not.
    expect(list(), at).toEqual([expect.objectContaining(kept)]);
    // Its name can be had again at once.
    const claim = claimName("web/main");
    claim.release();
    runGc();
    expect(readEntry(other.pid), at).toMatchObject(kept);
    expect(
      readdirSync(registryRoot()).filter((file) => /^\d+$/.test(file)),
      at,
    ).toEqual([String(other.pid)]);
    list();
    expect(readdirSync(join(registryRoot(), "names")), at).toEqual(["other"]);
    for (const directory of [".staging", ".locks"]) {
      const path = join(registryRoot(), directory);
      expect(existsSync(path) ? readdirSync(path) : [], `${at}: ${directory}`).toEqual([]);
    }
  }
  // Every write is a change, and there are many.
  expect(step).toBeGreaterThan(20);
  expect(step).toBeLessThanOrEqual(MOST_STEPS);
}, 300_000);

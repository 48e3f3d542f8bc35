import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { killMachine } from "../../../src/runtime/machine/end-machine.ts";
import { addEntry, list, readEntry } from "../../../src/runtime/registry/index.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
afterAll(() => scratch.remove());

test("ending a machine removes its files, and not what a damaged record names besides", async () => {
  const own = join(scratch.path, "own");
  mkdirSync(own);
  const pid = spawn("/bin/sleep", ["1000"], { stdio: "ignore" }).pid!;
  // The directory that holds the registry itself.
  const cleanupPaths = [own, scratch.path];
  addEntry({ pid, socketPath: "", startedAt: Date.now(), cleanupPaths });
  await killMachine(readEntry(pid)!);
  expect([own, scratch.path].map((path) => existsSync(path))).toEqual([false, true]);
  expect(list()).toEqual([]);
});

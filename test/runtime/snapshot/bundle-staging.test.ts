import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { collectGarbage } from "../../../src/runtime/machine/gc.ts";
import { addEntry, registryRoot } from "../../../src/runtime/registry/index.ts";
import {
  discardStaging,
  publishBundle,
  stageBundle,
} from "../../../src/runtime/snapshot/bundle-staging.ts";
import { runInOtherProcess } from "../machine/other-process.ts";
import { useScratch } from "../machine/scratch.ts";

const scratch = useScratch();
const root = process.env.MACHINEN_SNAPSHOT_DIR!;
afterAll(() => scratch.remove());

test("garbage collection names and removes what a killed snapshot left, and nothing else", async () => {
  const outDir = JSON.stringify(join(root, "lost"));
  const writer = await runInOtherProcess(
    `import { stageBundle } from "./snapshot/bundle-staging.ts";
     console.log(stageBundle(${outDir}).path);
     setInterval(() => {}, 1000);`,
  );
  const partial = writer.firstLine;
  const mine = stageBundle(join(root, "mine"));
  const whole = join(root, "whole");
  mkdirSync(whole);
  expect(collectGarbage()).toEqual([]);
  const gone = new Promise((resolve) => writer.process.once("exit", resolve));
  writer.process.kill("SIGKILL");
  await gone;
  const result = { pid: writer.process.pid, removedPaths: [partial], registryRemoved: true };
  expect(collectGarbage({ dryRun: true })).toMatchObject([result]);
  expect(existsSync(partial)).toBe(true);
  expect(collectGarbage()).toMatchObject([result]);
  expect([partial, mine.path, whole].map((path) => existsSync(path))).toEqual([false, true, true]);
  discardStaging(mine);
});

test("garbage collection finds what a killed snapshot left in a directory of the caller's", async () => {
  const elsewhere = join(scratch.path, "elsewhere");
  const outDir = JSON.stringify(join(elsewhere, "lost"));
  const writer = await runInOtherProcess(
    `import { stageBundle } from "./snapshot/bundle-staging.ts";
     console.log(stageBundle(${outDir}).path);
     setInterval(() => {}, 1000);`,
  );
  const mine = stageBundle(join(elsewhere, "mine"));
  const done = stageBundle(join(elsewhere, "done"));
  publishBundle(done, {}, join(elsewhere, "done"));
  expect(collectGarbage()).toEqual([]);
  const gone = new Promise((resolve) => writer.process.once("exit", resolve));
  writer.process.kill("SIGKILL");
  await gone;
  const paths = (dryRun: boolean) =>
    collectGarbage({ dryRun }).flatMap(({ removedPaths }) => removedPaths);
  expect(paths(true)).toEqual([writer.firstLine]);
  expect(paths(false)).toEqual([writer.firstLine]);
  expect(readdirSync(elsewhere).sort()).toEqual([basename(mine.path), "done"]);
  discardStaging(mine);
  expect(paths(false)).toEqual([]);
  expect(readdirSync(join(registryRoot(), ".bundles"))).toEqual([]);
});

test("what a dead machine's record names is told once", async () => {
  const writer = await runInOtherProcess(
    `import { stageBundle } from "./snapshot/bundle-staging.ts";
     console.log(stageBundle(${JSON.stringify(join(root, "named"))}).path);
     setInterval(() => {}, 1000);`,
  );
  const partial = writer.firstLine;
  const pid = writer.process.pid!;
  addEntry({ pid, socketPath: "/run/x/exec.sock", startedAt: 1, cleanupPaths: [partial] });
  const gone = new Promise((resolve) => writer.process.once("exit", resolve));
  writer.process.kill("SIGKILL");
  await gone;
  const told = collectGarbage({ dryRun: true }).flatMap(({ removedPaths }) => removedPaths);
  expect(told.filter((path) => path === partial)).toEqual([partial]);
  collectGarbage();
  expect(existsSync(partial)).toBe(false);
});

test("a process that got the pid of a dead one does not keep its partial bundle", async () => {
  const writer = await runInOtherProcess(
    `import { stageBundle } from "./snapshot/bundle-staging.ts";
     console.log(stageBundle(${JSON.stringify(join(root, "lost"))}).path);`,
  );
  const recycled = writer.firstLine.replace(
    `partial-${writer.process.pid}-`,
    `partial-${process.pid}-`,
  );
  renameSync(writer.firstLine, recycled);
  collectGarbage();
  expect(existsSync(recycled)).toBe(false);
});

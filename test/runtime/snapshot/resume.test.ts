import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { collectGarbage } from "../../../src/runtime/machine/gc.ts";
import { identify, waitUntilGone } from "../../../src/runtime/machine/process-identity.ts";
import { list } from "../../../src/runtime/registry/index.ts";
import { runInOtherProcess } from "../machine/other-process.ts";
import { useScratch } from "../machine/scratch.ts";

const scratch = useScratch();
afterAll(() => scratch.remove());

test("a machine whose creator died before it had its own identity is no machine, and gc ends it", async () => {
  const snapDir = join(scratch.path, "bundle");
  mkdirSync(join(snapDir, "img"), { recursive: true });
  writeFileSync(join(snapDir, "meta.json"), JSON.stringify({ snappedAt: 1, arch: process.arch }));
  writeFileSync(join(snapDir, "img", "vmm.json"), '{"memoryMib":512}');
  // A guest whose agent never answers: its identity cannot be given to it.
  const pidFile = join(scratch.path, "pid");
  const options = JSON.stringify({
    snapDir,
    name: "copy",
    detached: true,
    binary: "/bin/sh",
    args: ["-c", `echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; exec sleep 1000`],
  });
  const creator = await runInOtherProcess(
    `import { existsSync } from "node:fs";
     import { restore } from "./snapshot/restore.ts";
     restore(${options});
     setInterval(() => { if (existsSync("${pidFile}")) console.log("started"); }, 10);`,
  );
  const vmm = identify(Number(readFileSync(pidFile, "utf8")))!;
  const [runDir] = scratch.runDirs();
  const gone = new Promise((resolve) => creator.process.once("exit", resolve));
  creator.process.kill("SIGKILL");
  await gone;
  expect(list()).toEqual([]);
  expect(collectGarbage()).toMatchObject([{ removedPaths: [runDir] }]);
  expect(await waitUntilGone([vmm], 5000)).toBe(true);
  expect(existsSync(runDir!)).toBe(false);
});

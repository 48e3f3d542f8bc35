import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../src/runtime/package-root.ts";

/** The statements beside this file are proved by compiling them: test/check.test.ts does. */
test("every promised export is stated, every export is proved, and docs/api.md says so", () => {
  const script = join(packageRoot(), "bin/api-docs.mjs");
  const { stdout, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  expect(`${stdout}${stderr}`).toBe("");
});

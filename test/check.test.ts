import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../src/runtime/package-root.ts";

test.each([
  ["types hold", "tsc", ["-p", "."]],
  ["style holds", "biome", ["check", "--error-on-warnings"]],
])("%s", (_what, name, args) => {
  const program = join(packageRoot(), "node_modules", ".bin", name);
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: packageRoot(),
    encoding: "utf8",
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
});

test("no test boots an image that is not one of the table of bases", () => {
  const { stdout } = spawnSync(
    "grep",
    ["-rnE", 'boot\\(.*image: "(tiny|debian)"|--image", "(tiny|debian)"', "test", "--include=*.ts"],
    { cwd: packageRoot(), encoding: "utf8" },
  );
  expect(stdout).toBe("");
});

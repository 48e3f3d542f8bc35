import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ErrorCode } from "../../src/runtime/errors.ts";
import { packageRoot } from "../../src/runtime/package-root.ts";

const root = packageRoot();

interface Row {
  code: string;
  cause: string;
  nextStep: string;
  proof?: string;
}

const rows: Row[] = readFileSync(join(root, "docs/errors.md"), "utf8")
  .split("\n")
  .flatMap((line) => {
    const match = /^\| `([A-Z_]+)` \| (.*?) \| (.*?) ?\| (?:\[test\]\(\.\.\/(.*?)\) )?\|$/.exec(
      line,
    );
    const [, code, cause, nextStep, proof] = match ?? [];
    return code === undefined ? [] : [{ code, cause: cause!, nextStep: nextStep!, proof }];
  });

/** Sources that raise the code, or make it from something else. */
function raisedIn(code: string): string[] {
  const { stdout } = spawnSync("grep", ["-rlE", `["'.]${code}\\b`, "src"], {
    cwd: root,
    encoding: "utf8",
  });
  const files = stdout.trim().split("\n").filter(Boolean);
  // The first only lists the codes, the second only says what to do about them.
  return files.filter((file) => !/runtime\/errors\.ts$|cli\/next-step\.ts$/.test(file));
}

test("docs/errors.md has every code once, in order", () => {
  expect(rows.map(({ code }) => code)).toEqual(Object.keys(ErrorCode));
});

test.each(rows)("$code is as docs/errors.md says", ({ code, cause, nextStep, proof }) => {
  if (proof === undefined) {
    expect(cause).toMatch(/^not raised\. ./);
    expect(raisedIn(code)).toEqual([]);
    return;
  }
  expect(cause.length).toBeGreaterThan(10);
  expect(nextStep).not.toBe("");
  expect(raisedIn(code), "nobody raises it").not.toEqual([]);
  expect(existsSync(join(root, proof)), proof).toBe(true);
  const isProvoked = new RegExp(`\\b${code}\\b`).test(readFileSync(join(root, proof), "utf8"));
  expect(isProvoked, `${proof} provokes ${code}`).toBe(true);
});

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const bin = new URL("../../bin/", import.meta.url);
// The set-up is plain JavaScript, as it runs before anything is built.
const load = (file: string) => import(new URL(file, bin).href);
const { nodeModulesMatch } = await load("setup/node-modules.mjs");
const { bundleIsStale } = await load("setup/bundle-stamp.mjs");
const { systemPackages, isProvided } = await load("setup/system-packages.mjs");
const { summarise } = await load("test-summary.mjs");

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "machinen-setup-test-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, content: unknown = ""): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
}

describe("node_modules", () => {
  const wanted = {
    "": { version: "1.0.0" },
    "node_modules/a": { version: "1.2.3", integrity: "sha512-a" },
    "node_modules/other-system": { version: "1.0.0", integrity: "sha512-o", optional: true },
  };

  beforeEach(() => {
    put("package-lock.json", { packages: wanted });
    put("node_modules/.package-lock.json", {
      packages: { "node_modules/a": wanted["node_modules/a"] },
    });
    put("node_modules/a/package.json");
    put("node_modules/node-pty/build/Release/pty.node");
  });

  test("match without the packages of other systems", () => {
    expect(nodeModulesMatch(root)).toBe(true);
  });

  test.each([
    [
      "another version",
      () =>
        put("package-lock.json", {
          packages: { ...wanted, "node_modules/a": { version: "2.0.0", integrity: "sha512-a" } },
        }),
    ],
    [
      "another content",
      () =>
        put("package-lock.json", {
          packages: { ...wanted, "node_modules/a": { version: "1.2.3", integrity: "sha512-b" } },
        }),
    ],
    [
      "a new package",
      () =>
        put("package-lock.json", {
          packages: { ...wanted, "node_modules/b": { version: "1.0.0" } },
        }),
    ],
    ["a removed directory", () => rmSync(join(root, "node_modules/a"), { recursive: true })],
    ["no node-pty", () => rmSync(join(root, "node_modules/node-pty"), { recursive: true })],
    ["a torn lock file", () => put("node_modules/.package-lock.json", "{")],
  ])("do not match with %s", (_, change) => {
    change();
    expect(nodeModulesMatch(root)).toBe(false);
  });
});

test("the bundle is stale until it is marked, and again when a source changes", () => {
  for (const file of ["src/a.ts", "bin/build.mjs", "package.json", "package-lock.json"]) put(file);
  put("dist/cli.js");
  put("dist/runtime.js");
  bundleIsStale(root)();
  expect(bundleIsStale(root)).toBeUndefined();
  utimesSync(join(root, "src/a.ts"), new Date(0), new Date(0));
  const mark = bundleIsStale(root);
  expect(mark).toBeTypeOf("function");
  mark();
  rmSync(join(root, "dist/cli.js"));
  expect(bundleIsStale(root)).toBeTypeOf("function");
});

test("system packages each have a reason and something to look for", () => {
  for (const { name, provides, reason } of systemPackages) {
    expect(name).toMatch(/^[a-z0-9+.-]+$/);
    expect(provides.length).toBeGreaterThan(0);
    expect(reason).not.toBe("");
  }
  expect(isProvided("sh")).toBe(true);
  expect(isProvided("no-such-program-anywhere")).toBe(false);
});

test("packages of tests and of the bench are asked for only there", () => {
  const url = new URL("setup/system-packages.mjs", bin).href;
  const missing = (...purposes: string[]): string[] =>
    JSON.parse(
      execFileSync(
        process.execPath,
        [
          "--input-type=module",
          "-e",
          `import { missingPackages } from ${JSON.stringify(url)};
           console.log(JSON.stringify(missingPackages(${JSON.stringify(purposes)}).map(({ name }) => name)));`,
        ],
        { env: { PATH: root }, encoding: "utf8" },
      ),
    );
  const bench = ["qemu-utils", "tmux", "openssh-client"];
  expect(missing("bench")).toEqual(expect.arrayContaining(["make", ...bench]));
  expect(missing("bench")).not.toContain("vttest");
  expect(missing("test")).toEqual(expect.arrayContaining(["qemu-utils", "tmux", "vttest"]));
  for (const name of bench) expect(missing()).not.toContain(name);
});

test("the lock is held by one set-up at a time and freed when its holder is killed", async () => {
  const script = join(root, "hold.mjs");
  const lock = new URL("setup/lock.mjs", bin).href;
  writeFileSync(
    script,
    `import { withSetupLock } from ${JSON.stringify(lock)};
     await withSetupLock(${JSON.stringify(join(root, "lock"))}, async () => {
       console.log("in");
       await new Promise((resolve) => process.stdin.once("data", resolve));
     });
     process.exit(0);`,
  );
  const start = () => spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "pipe"] });
  const first = start();
  await once(first.stdout, "data");
  const second = start();
  let secondIsIn = false;
  const entered = once(second.stdout, "data").then(() => {
    secondIsIn = true;
  });
  const [notice] = await once(second.stderr, "data");
  expect(String(notice)).toContain("Waiting for another set-up");
  expect(secondIsIn).toBe(false);
  first.kill("SIGKILL");
  await entered;
  second.stdin.write("go\n");
  expect(await once(second, "exit")).toEqual([0, null]);
});

describe("the last line of npm test", () => {
  const passed = { status: "passed", assertionResults: [{ status: "passed" }] };
  const failed = { status: "failed", assertionResults: [{ status: "failed" }] };
  const unloadable = { status: "failed", assertionResults: [] };

  test.each([
    [
      "all passed",
      { numPassedTests: 3, numFailedTests: 0, testResults: [passed] },
      0,
      "3 passed, 0 failed",
      0,
    ],
    [
      "one failed",
      { numPassedTests: 3, numFailedTests: 1, testResults: [passed, failed] },
      1,
      "3 passed, 1 failed",
      1,
    ],
    [
      "a broken file",
      { numPassedTests: 3, numFailedTests: 0, testResults: [passed, unloadable] },
      1,
      "3 passed, 1 failed",
      1,
    ],
    [
      "an error outside any test",
      { numPassedTests: 3, numFailedTests: 0, testResults: [passed] },
      1,
      "3 passed, 1 failed",
      1,
    ],
    [
      "no tests",
      { numPassedTests: 0, numFailedTests: 0, testResults: [] },
      0,
      "0 passed, 0 failed",
      1,
    ],
    ["no report", undefined, null, "0 passed, 1 failed", 1],
  ])("after %s", (_, report, status, line, exitCode) => {
    expect(summarise(report, status)).toEqual({ line, exitCode });
  });
});

test("a launcher without a built program says how to build it", async () => {
  const launcher = join(root, "bin/machinen");
  mkdirSync(join(root, "bin"));
  copyFileSync(new URL("machinen", bin), launcher);
  chmodSync(launcher, 0o755);
  const child = spawn(launcher, ["ls"], { stdio: ["ignore", "ignore", "pipe"] });
  const [[text], [code]] = await Promise.all([once(child.stderr, "data"), once(child, "exit")]);
  expect(String(text)).toContain(`cd '${root}' && node bin/setup.mjs`);
  expect(code).toBe(1);
});

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageVersion } from "../../src/runtime/package-root.ts";

const launcher = fileURLToPath(new URL("../../bin/machinen", import.meta.url));
let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "machinen-cli-test-"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The built program, on a registry of its own. */
function machinen(args: string[], program = launcher, more: NodeJS.ProcessEnv = {}) {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    MACHINEN_REGISTRY_DIR: join(scratch, "vms"),
    ...more,
  };
  delete env.MACHINEN_DEBUG;
  return spawnSync(program, args, { env, encoding: "utf8", input: "" });
}

test("runs through symbolic links, absolute and relative", () => {
  mkdirSync(join(scratch, "links"));
  symlinkSync(launcher, join(scratch, "absolute"));
  symlinkSync("../absolute", join(scratch, "links/mn"));
  const { stdout, status } = machinen(["--version"], join(scratch, "links/mn"));
  expect(stdout).toBe(`${packageVersion()}\n`);
  expect(status).toBe(0);
});

test("help lists every command and goes to stdout", () => {
  const { stdout, stderr, status } = machinen(["--help"]);
  for (const name of [
    "boot",
    "ls",
    "exec",
    "attach",
    "fork",
    "snapshot",
    "restore",
    "stop",
    "provision",
    "gc",
    "install",
    "doctor",
  ])
    expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(machinen(["help", "fork"]).stdout).toBe(machinen(["fork", "--help"]).stdout);
});

test.each([
  [["frok", "web"], "PARSE_COMMAND_UNKNOWN", /did you mean machinen fork/],
  [["--nonsense"], "PARSE_FLAG_UNKNOWN", /--nonsense/],
  [["exec", "web"], "PARSE_ARGUMENT_MISSING", /command/],
  [["stop"], "PARSE_ARGUMENT_MISSING", /--all/],
  [["stop", "--all", "web"], "PARSE_ARGUMENT_UNEXPECTED", /--all/],
  [["install", "debain"], "PARSE_ARGUMENT_UNEXPECTED", /did you mean debian/],
  [["boot", "a", "--name", "b"], "PARSE_FLAG_DUPLICATE", /name/],
  [["boot", "-p", "80"], "PARSE_PORT_INVALID", /"80"/],
  [["fork", "web", "-p", "0:80"], "PARSE_PORT_INVALID", /"0:80"/],
  [["restore", "x", "-p", "80:99999"], "PARSE_PORT_INVALID", /80:99999/],
  [["fork", "web", "-c", "2", "-p", "8080:80"], "PARSE_FLAG_MALFORMED", /--count/],
  [["fork", "web", "--count", "0"], "PARSE_FLAG_MALFORMED", /--count/],
  [["fork", "web", "--count", "1.5"], "PARSE_FLAG_MALFORMED", /--count/],
  [["fork", "web", "--count", "2", "--name", "x"], "PARSE_FLAG_MALFORMED", /--name/],
  [["provision"], "PARSE_ARGUMENT_MISSING", /output/],
  [["provision", "x.tar.gz"], "PARSE_ARGUMENT_MISSING", /--script/],
  [["provision", "x.tar.gz", "--size", "0", "--", "true"], "PARSE_FLAG_MALFORMED", /--size/],
  [
    ["provision", "x.tar.gz", "--env", "novalue", "--", "true"],
    "PARSE_FLAG_MALFORMED",
    /KEY=value/,
  ],
  [["provision", "x.tar.gz", "--cmd", "[1]", "--", "true"], "PARSE_FLAG_MALFORMED", /--cmd/],
  [["provision", "x.tar.gz", "--copy", "site"], "PARSE_FLAG_MALFORMED", /"site"/],
  [["provision", "x.tar.gz", "--copy", "site:srv"], "PARSE_FLAG_MALFORMED", /path in the image/],
  [["provision", "x.tar.gz", "--script", "/none"], "PARSE_FLAG_MALFORMED", /--script/],
  [["tui", "--boot", "-1"], "PARSE_FLAG_MALFORMED", /--boot/],
  [["tui", "--list", "--local", "bash"], "PARSE_FLAG_MALFORMED", /--local/],
  [["diff", "web"], "PARSE_ARGUMENT_MISSING", /<b>/],
  [["fork", "web", "--mount", "src"], "PARSE_FLAG_MALFORMED", /--mount needs/],
  [["restore", "./bundle", "--mount", ".:/data"], "PARSE_FLAG_MALFORMED", /--mount needs/],
  [["fork", "web", "-c", "2", "--mount", ".:/mnt/a"], "PARSE_FLAG_MALFORMED", /for one copy/],
])("%j is a usage error", (args, code, text) => {
  const { stdout, stderr, status } = machinen(args);
  expect(stderr).toMatch(new RegExp(`^${code}: `));
  expect(stderr).toMatch(text);
  expect(stderr).toMatch(/^next: /m);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stdout).toBe("");
  expect(status).toBe(2);
});

test.each([
  ["exec", "nobody", "true"],
  ["fork", "nobody"],
  ["fork", "nobody", "--count", "2"],
  ["snapshot", "nobody"],
  ["stop", "nobody"],
])("%s of a machine that is not there fails with its code", (...args) => {
  const { stderr, status } = machinen(args);
  expect(stderr).toMatch(/^REGISTRY_VM_NOT_FOUND: .*nobody/);
  expect(stderr).toMatch(/^next: machinen ls/m);
  expect(status).toBe(1);
});

test.each([
  [["--mount", "./no-such:/mnt/a"], "BOOT_MOUNT_HOST_NOT_FOUND", "mount ./no-such:/mnt/a: "],
  [["-v", "no-such:/mnt/a:ro"], "BOOT_MOUNT_HOST_NOT_FOUND", "live mount no-such:/mnt/a:ro: "],
  [["-v", ".:/data"], "BOOT_MOUNT_INVALID", "live mount .:/data: "],
  [
    ["-v", ".:/mnt/a", "--live-mount", "..:/mnt/a/b"],
    "BOOT_MOUNT_INVALID",
    "live mount ..:/mnt/a/b: it lies inside the live mount .:/mnt/a",
  ],
])("boot %j is refused in the words of the command line", (args, code, words) => {
  const { stderr, status } = machinen(["boot", ...args]);
  expect(stderr.startsWith(`${code}: ${words}`), stderr).toBe(true);
  expect(status).toBe(1);
  expect(JSON.parse(machinen(["ls", "--json"]).stdout)).toEqual([]);
});

test("attach without a terminal says so", () => {
  const { stderr, status } = machinen(["attach", "nobody"]);
  expect(stderr).toMatch(/^NO_TERMINAL: /);
  expect(status).toBe(1);
});

test("an empty list is an empty JSON array", () => {
  expect(JSON.parse(machinen(["ls", "--json"]).stdout)).toEqual([]);
  expect(machinen(["ps"]).stdout).toMatch(/No machine is running/);
  expect(machinen(["gc", "--json"]).stdout).toBe("[]\n");
});

test("a reader that goes away is no error", async () => {
  const child = spawn(launcher, ["--help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  expect(await once(child, "close")).toEqual([0, null]);
  expect(stderr).toBe("");
});

test("gc --templates removes the templates that no machine uses, after saying so", () => {
  const cache = join(scratch, "cache");
  const template = join(cache, "templates", "0".repeat(40));
  mkdirSync(template, { recursive: true });
  writeFileSync(join(template, "memory.img"), Buffer.alloc(8192, 1));
  const gc = (...args: string[]) =>
    machinen(["gc", ...args], launcher, { MACHINEN_CACHE_DIR: cache });
  expect(gc().stdout).toBe("Nothing to remove.\n");
  expect(gc("--templates", "--dry-run").stdout).toContain(`would remove ${template}`);
  expect(existsSync(template)).toBe(true);
  expect(JSON.parse(gc("--templates", "--json").stdout)).toEqual({
    machines: [],
    templates: [{ path: template, bytes: 8192 }],
  });
  expect(existsSync(template)).toBe(false);
  expect(gc("--templates").stdout).toBe("Nothing to remove.\n");
});

test("gc --images removes the disks of images that are not in use, after saying so", () => {
  const cache = join(scratch, "image-cache");
  const image = join(cache, "rootfs", `${"0".repeat(64)}.img`);
  mkdirSync(join(cache, "rootfs"), { recursive: true });
  writeFileSync(image, Buffer.alloc(8192, 1));
  utimesSync(image, 1, 1);
  const gc = (...args: string[]) =>
    machinen(["gc", ...args], launcher, { MACHINEN_CACHE_DIR: cache });
  expect(gc().stdout).toBe("Nothing to remove.\n");
  expect(gc("--images", "--dry-run").stdout).toContain(`would remove ${image}`);
  expect(existsSync(image)).toBe(true);
  expect(JSON.parse(gc("--images", "--json").stdout)).toEqual({
    machines: [],
    images: [{ path: image, bytes: 8192 }],
  });
  expect(existsSync(image)).toBe(false);
});

test("a snapshot stops its machine or keeps it alive, as it is told, not both", () => {
  const both = machinen(["snapshot", "nobody", "--stop", "--keep-alive"]);
  expect([both.status, both.stderr]).toEqual([
    2,
    expect.stringContaining("--stop and --keep-alive exclude each other"),
  ]);
  for (const flag of ["--stop", "--keep-alive"]) {
    expect(machinen(["snapshot", "nobody", flag]).stderr).toContain("REGISTRY_VM_NOT_FOUND");
  }
});

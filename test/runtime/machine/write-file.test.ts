import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { buildWriteFileCmd, buildWriteFileCmds } from "../../../src/runtime/machine/write-file.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
afterAll(() => scratch.remove());

const run = (cmds: string[]) => {
  for (const cmd of cmds) execFileSync("/bin/sh", ["-c", cmd]);
};

test("writes any bytes to awkward paths, with parents and mode", () => {
  const path = join(scratch.path, "a dir", "it's $HOME", "file");
  const contents = Buffer.from([0, 10, 39, 34, 92, 255]);
  run([buildWriteFileCmd(path, contents, { mode: 0o750 })]);
  expect(readFileSync(path)).toEqual(contents);
  expect(statSync(path).mode & 0o7777).toBe(0o750);
});

test("appends", () => {
  const path = join(scratch.path, "log");
  run([buildWriteFileCmd(path, "one\n"), buildWriteFileCmd(path, "two\n", { append: true })]);
  expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
});

test("small contents take one line, whatever is in them, the same as that of the single command", () => {
  const cmd = buildWriteFileCmd("/a/b", "two\nlines\n", { mode: 0o600, append: true });
  expect(cmd).not.toContain("\n");
  expect(buildWriteFileCmds("/a/b", "two\nlines\n", { mode: 0o600, append: true })).toEqual([cmd]);
  // 64 KiB of base64, and 4 bytes more.
  expect(buildWriteFileCmds("/a/b", Buffer.alloc(49_152))).toHaveLength(1);
  expect(buildWriteFileCmds("/a/b", Buffer.alloc(49_153)).length).toBeGreaterThan(1);
});

test("overwrites and leaves the mode as it is unless told otherwise; large contents are appended too", () => {
  const path = join(scratch.path, "kept");
  run([buildWriteFileCmd(path, "one", { mode: 0o751 }), buildWriteFileCmd(path, "two")]);
  expect(readFileSync(path, "utf8")).toBe("two");
  run(buildWriteFileCmds(path, Buffer.alloc(100_000, "x"), { append: true }));
  expect(readFileSync(path, "utf8")).toBe(`two${"x".repeat(100_000)}`);
  expect(statSync(path).mode & 0o7777).toBe(0o751);
});

test("does not make parents when told not to", () => {
  expect(buildWriteFileCmd("/no/parent", "x", { recursive: false })).not.toContain("mkdir");
});

test("large contents go in pieces below the limit of one argument and leave no stage behind", () => {
  const path = join(scratch.path, "large");
  const contents = randomBytes(300_000);
  const cmds = buildWriteFileCmds(path, contents, { mode: 0o600 });
  expect(cmds.length).toBeGreaterThan(2);
  expect(Math.max(...cmds.map((cmd) => cmd.length))).toBeLessThan(128 * 1024);
  run(cmds);
  expect(readFileSync(path).equals(contents)).toBe(true);
  expect(statSync(path).mode & 0o7777).toBe(0o600);
  const stage = /\/tmp\/(\.machinen-write-[0-9a-f]+)/.exec(cmds[0]!)![1]!;
  expect(readdirSync("/tmp")).not.toContain(stage);
});

test("a write that fails fails the command", () => {
  const path = join(scratch.path, "large"); // a file where a directory is needed
  expect(() => run(buildWriteFileCmds(join(path, "below"), "x"))).toThrow();
  expect(() => run(buildWriteFileCmds(join(path, "below"), randomBytes(100_000)))).toThrow();
});

test("a name that begins with a dash is a name", () => {
  const [cmd] = buildWriteFileCmds("-dir/-file", "x", { mode: 0o640 });
  execFileSync("/bin/sh", ["-c", cmd!], { cwd: scratch.path });
  expect(statSync(join(scratch.path, "-dir/-file")).mode & 0o7777).toBe(0o640);
});

test("a stage that cannot be written is removed", () => {
  const stage = join(scratch.path, "stage");
  symlinkSync("/dev/full", stage);
  const [first] = buildWriteFileCmds("/nowhere", randomBytes(100_000));
  expect(() => run([first!.replaceAll(/\/tmp\/\.machinen-write-[0-9a-f]+/g, stage)])).toThrow();
  expect(readdirSync(scratch.path)).not.toContain("stage");
});

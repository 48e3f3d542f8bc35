import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { isSafeToRemove } from "../../../src/runtime/registry/gc.ts";
import {
  addEntry,
  list,
  readEntry,
  registryRoot,
  runGc,
} from "../../../src/runtime/registry/index.ts";
import { killed, useScratchRegistry } from "./scratch.ts";

const scratch = useScratchRegistry();
const SOCKET = "/run/x/exec.sock";

async function deadMachine(cleanupPaths: string[], bootLogPath?: string): Promise<number> {
  const child = scratch.sleeper();
  addEntry({ pid: child.pid, socketPath: SOCKET, startedAt: 1, cleanupPaths, bootLogPath });
  await killed(child);
  return child.pid;
}

function files(): { file: string; dir: string; log: string } {
  const paths = {
    file: join(scratch.dir, "disk.img"),
    dir: join(scratch.dir, "run"),
    log: join(scratch.dir, "boot.log"),
  };
  mkdirSync(join(paths.dir, "deep"), { recursive: true });
  for (const path of [paths.file, join(paths.dir, "deep", "f"), paths.log]) {
    writeFileSync(path, "x");
  }
  return paths;
}

it("removes a dead machine's files, boot log and record, and leaves live ones alone", async () => {
  const { file, dir, log } = files();
  const gone = join(scratch.dir, "gone");
  const pid = await deadMachine([file, dir, gone], log);
  const alive = scratch.sleeper();
  const kept = join(scratch.dir, "kept");
  writeFileSync(kept, "x");
  addEntry({ pid: alive.pid, socketPath: SOCKET, startedAt: 1, cleanupPaths: [kept] });

  const dry = runGc({ dryRun: true });
  expect([file, dir, log].every((path) => existsSync(path))).toBe(true);
  expect(readEntry(pid)).toBeDefined();

  const results = runGc();
  expect(results).toEqual([
    {
      pid,
      status: "dead",
      removedPaths: [file, dir, log],
      failedPaths: [gone],
      registryRemoved: true,
    },
  ]);
  expect(dry).toEqual(results);
  expect([file, dir, log].some((path) => existsSync(path))).toBe(false);
  expect(existsSync(join(registryRoot(), String(pid)))).toBe(false);
  expect(existsSync(kept)).toBe(true);
  expect(list().map((entry) => entry.pid)).toEqual([alive.pid]);
  expect(runGc()).toEqual([]);
});

it("acts on one pid only when told so", async () => {
  const { file, dir } = files();
  const one = await deadMachine([file]);
  const two = await deadMachine([dir]);
  expect(runGc({ pid: one }).map((result) => result.pid)).toEqual([one]);
  expect(existsSync(file)).toBe(false);
  expect(existsSync(dir)).toBe(true);
  expect(readEntry(two)).toBeDefined();
  expect(runGc({ pid: one })).toEqual([]);
});

it("reports a recycled pid and cleans up after the machine that had it", () => {
  const { file } = files();
  const { pid } = scratch.sleeper();
  addEntry({
    pid,
    socketPath: SOCKET,
    startedAt: 1,
    cleanupPaths: [file],
    processIdentity: "earlier:1",
  });
  expect(runGc()).toMatchObject([{ pid, status: "recycled", removedPaths: [file] }]);
});

it("removes links, never what they lead to", async () => {
  const { file, dir } = files();
  const link = join(scratch.dir, "link");
  const run = join(scratch.dir, "machine");
  mkdirSync(run);
  symlinkSync(dir, link);
  symlinkSync(file, join(run, "inner"));
  const pid = await deadMachine([link, run]);
  expect(runGc({ pid })[0]?.removedPaths).toEqual([link, run]);
  expect(readFileSync(file, "utf8")).toBe("x");
  expect(existsSync(join(dir, "deep", "f"))).toBe(true);
});

it("refuses paths that could cost more than a machine's own files", async () => {
  const { file } = files();
  const bad = ["relative/file", "/", "/etc", `${scratch.dir}/run/../disk.img`, scratch.dir];
  const pid = await deadMachine(bad);
  expect(runGc({ pid })).toMatchObject([{ removedPaths: [], failedPaths: bad }]);
  expect(existsSync(file)).toBe(true);
  const kept = [homedir(), `${homedir()}/`, tmpdir(), registryRoot(), "/tmp/a\0b", "//", "/usr/"];
  for (const path of kept) expect(isSafeToRemove(path), path).toBe(false);
  expect(isSafeToRemove(join(tmpdir(), "machinen-1"))).toBe(true);
});

it("clears away an unreadable record of a dead process", async () => {
  const pid = await scratch.deadPid();
  mkdirSync(join(registryRoot(), String(pid)), { recursive: true });
  writeFileSync(join(registryRoot(), String(pid), "meta.json"), "{");
  expect(runGc()).toMatchObject([{ pid, status: "dead", registryRemoved: true }]);
  expect(existsSync(join(registryRoot(), String(pid)))).toBe(false);
});

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { assetNames } from "../../src/runtime/assets/assets-dir.ts";
import {
  _internal,
  bootPty,
  ensureRootfsImage,
  mkinitramfsWorkspace,
  Sandboxes,
  Supervisor,
  VsockExec,
  VsockFiles,
  VsockSecrets,
  VsockWinsize,
} from "../../src/runtime/index.ts";
import { planProvision } from "../../src/runtime/provision/plan.ts";

/** Documented defaults that no other test depends on. */
let directory = "";
let server: Server | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "machinen-defaults-"));
});
afterEach(() => {
  vi.useRealTimers();
  server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

const absent = () => join(directory, "absent");

/** A service that takes connections, says what it is told to, and then nothing. */
async function saying(words: string): Promise<string> {
  const path = join(directory, "service");
  server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.write(words));
  });
  await new Promise<void>((resolve) => server!.listen(path, resolve));
  return path;
}

/** Whether the promise is still pending after `ms` of a clock that only we move, and not 1 ms later. */
async function endsAfter(ms: number, start: () => Promise<unknown>): Promise<unknown> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  let error: unknown;
  const ended = start().catch((reason) => {
    error = reason;
  });
  // Connections are real: what happens on them takes turns of the real event loop.
  const settle = async () => {
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  await settle();
  await vi.advanceTimersByTimeAsync(ms - 1);
  await settle();
  expect(error).toBeUndefined();
  await vi.advanceTimersByTimeAsync(2);
  await settle();
  vi.useRealTimers();
  await ended;
  return error;
}

describe("how long is waited", () => {
  test("a command: 30 s for the agent", async () => {
    const error = await endsAfter(30_000, () => VsockExec.run(absent(), "true"));
    expect(error).toMatchObject({ code: "EXEC_AGENT_UNAVAILABLE" });
  });

  test("a command: 5 minutes for its end", async () => {
    const path = await saying("A 1\n");
    const error = await endsAfter(300_000, () => VsockExec.run(path, "true"));
    expect(error).toMatchObject({ code: "EXEC_AGENT_TIMEOUT" });
  });

  test("a PTY: 5 s for the agent", async () => {
    const path = await saying("");
    const streams = { stdin: new PassThrough(), stdout: new PassThrough() };
    const error = await endsAfter(
      5000,
      () => VsockExec.startPty(path, "sh", { cols: 80, rows: 24, ...streams }).result,
    );
    expect(error).toMatchObject({ code: "EXEC_AGENT_UNAVAILABLE" });
  });

  test("files: 5 s", async () => {
    const error = await endsAfter(5000, () => VsockFiles.push(absent(), directory, "/x"));
    expect(error).toMatchObject({ code: "FILES_AGENT_UNAVAILABLE" });
  });

  test("secrets: 10 s", async () => {
    const error = await endsAfter(10_000, () => VsockSecrets.send(absent(), { A: "b" }));
    expect(error).toMatchObject({ code: "SECRETS_AGENT_UNAVAILABLE" });
  });

  test("the window size: 10 s", async () => {
    const error = await endsAfter(10_000, () => VsockWinsize.connect(absent()));
    expect(error).toMatchObject({ code: "WINSIZE_AGENT_UNAVAILABLE" });
  });
});

test("relative paths of a build start in its cwd", () => {
  for (const name of ["base.tar", "kernel"]) writeFileSync(join(directory, name), "");
  const relative = { base: "base.tar", kernel: "kernel", out: "new/out.tar" };
  expect(planProvision({ ...relative, cwd: directory, install: async () => {} })).toMatchObject({
    base: join(directory, "base.tar"),
    kernel: join(directory, "kernel"),
    out: join(directory, "new/out.tar"),
  });
});

test("an image that is built may have 1 GiB, the build 10 minutes, and the base is Debian", () => {
  const base = join(directory, assetNames().debian);
  for (const name of [base, join(directory, assetNames().kernel)]) writeFileSync(name, "");
  vi.stubEnv("MACHINEN_ASSETS_DIR", directory);
  const out = join(directory, "out.tar.gz");
  expect(planProvision({ install: async () => {}, out })).toMatchObject({
    base,
    out,
    limitBytes: 1024 ** 3,
    timeoutMs: 600_000,
  });
  vi.unstubAllEnvs();
});

test("a root disk is two and a half times as large as what it holds", () => {
  const tree = join(directory, "tree");
  mkdirSync(tree);
  writeFileSync(join(tree, "file"), Buffer.alloc(20 << 20, 1));
  const tarball = join(directory, "image.tar");
  execFileSync("tar", ["-C", tree, "-cf", tarball, "."]);
  const cacheDir = join(directory, "cache");
  const { size } = statSync(ensureRootfsImage(tarball, { cacheDir, minSizeBytes: 0 }));
  expect(size / (20 << 20)).toBeGreaterThanOrEqual(2.5);
  expect(size / (20 << 20)).toBeLessThan(2.6);
});

test("a workspace that is packed has 500 MiB at most", () => {
  const workspace = join(directory, "work");
  mkdirSync(workspace);
  const out = join(directory, "work.cpio");
  // Holes: only a size.
  writeFileSync(join(workspace, "large"), "");
  truncateSync(join(workspace, "large"), 501 << 20);
  expect(() => mkinitramfsWorkspace({ workspace, out })).toThrow(
    expect.objectContaining({ code: "MKINITRAMFS_WORKSPACE_TOO_LARGE" }),
  );
  truncateSync(join(workspace, "large"), 0);
  mkinitramfsWorkspace({ workspace, out });
  expect(statSync(out).size).toBeGreaterThan(0);
});

test("a PTY has 80 by 24 cells, our environment and colours", async () => {
  vi.stubEnv("MACHINEN_TEST_INHERITED", "yes");
  const pty = bootPty({
    binary: "/bin/sh",
    args: ["-c", "stty size; echo $TERM $MACHINEN_TEST_INHERITED $OWN; pwd"],
    env: { OWN: "own" },
  });
  expect((await pty.output()).replaceAll("\r", "")).toBe(
    `24 80\nxterm-256color yes own\n${process.cwd()}\n`,
  );
  vi.unstubAllEnvs();
});

test("a sandbox keeps 64 KiB unless told otherwise", () => {
  expect(new Sandboxes().scrollbackBytes).toBe(65_536);
  expect(new Sandboxes({ scrollbackBytes: 5 }).scrollbackBytes).toBe(5);
});

test("scrollback can be replaced", () => {
  const sandboxes = new Sandboxes({ scrollbackBytes: 8 });
  const streams = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
  };
  sandboxes.add("a", streams as never);
  const entry = sandboxes.get("a")!;
  entry.scrollback = Buffer.from("0123456789");
  expect(entry.scrollback.toString()).toBe("23456789");
  entry.scrollback = Buffer.alloc(0);
  expect(sandboxes.get("a")!.scrollback.length).toBe(0);
});

test("a supervisor listens to / and writes to what it was given", async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const supervisor = new Supervisor({ sandboxes: new Sandboxes(), input, output });
  const run = supervisor.run();
  input.write("/ls\n/quit\n");
  await run;
  expect(String(output.read())).toContain("no sandboxes");
});

test("a supervisor without streams of its own has those of this process", () => {
  const { input, output } = new Supervisor({ sandboxes: new Sandboxes() }) as unknown as {
    input: unknown;
    output: unknown;
  };
  expect([input === process.stdin, output === process.stdout]).toEqual([true, true]);
});

test("what a handle remembers of a stream: the last MiB", async () => {
  expect(_internal.CONSOLE_TAIL_BYTES).toBe(1 << 20);
  const stream = new PassThrough();
  const collected = _internal.collect(stream);
  stream.write(Buffer.alloc(1 << 20, "a"));
  stream.end("tail");
  const text = await collected;
  expect(text.length).toBe(1 << 20);
  expect(text.endsWith("aatail")).toBe(true);
  expect(_internal.validateMemoryMib(512)).toBe(512);
});

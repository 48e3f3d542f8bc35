import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  _internal,
  bootPty,
  Sandboxes,
  Supervisor,
  VsockExec,
  VsockSecrets,
  VsockWinsize,
} from "../../src/runtime/index.ts";

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

  test("the window size: 10 s", async () => {
    const error = await endsAfter(10_000, () => VsockWinsize.connect(absent()));
    expect(error).toMatchObject({ code: "WINSIZE_AGENT_UNAVAILABLE" });
  });
});

test("secrets are tried for 10 s, and a shorter time is kept", async () => {
  const before = performance.now();
  await expect(VsockSecrets.send(absent(), { A: "b" }, { timeoutMs: 50 })).rejects.toMatchObject({
    code: "SECRETS_AGENT_UNAVAILABLE",
  });
  expect(performance.now() - before).toBeLessThan(10_000);
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

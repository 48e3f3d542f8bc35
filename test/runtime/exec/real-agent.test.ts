import { PassThrough } from "node:stream";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import {
  killSession,
  listSessions,
  openSession,
  VsockExec,
  VsockSecrets,
} from "../../../src/runtime/exec/index.ts";
import { type Relay, startRelay, stopRelay } from "../../guest/relay.ts";

/** The library against the guest's real agent, which runs here as an ordinary process. */
let relay: Relay;
let socket = "";
beforeAll(async () => {
  relay = await startRelay();
  socket = relay.socket(1978);
});
afterAll(() => stopRelay(relay));

const open = (
  name: string,
  command: string,
  onReplay?: Parameters<typeof openSession>[1]["onReplay"],
) => openSession(socket, { name, command, cols: 80, rows: 24, onReplay });

it("runs commands", async () => {
  const seen: Buffer[] = [];
  const result = await VsockExec.run(socket, "echo out; echo err >&2; exit 9", {
    onStdout: (chunk) => seen.push(Buffer.from(chunk)),
  });
  expect(result).toEqual({ exitCode: 9, stdout: "out\n", stderr: "err\n" });
  expect(Buffer.concat(seen).toString()).toBe("out\n");
  const killed = await VsockExec.run(socket, "kill -9 $$");
  expect(killed.exitCode).toBe(137);
});

it("carries a flood unharmed", async () => {
  const { stdout } = await VsockExec.run(socket, "seq 1 300000");
  const lines = stdout.split("\n");
  expect(lines.length).toBe(300_001);
  expect(lines.every((line, at) => at === 300_000 || line === String(at + 1))).toBe(true);
});

it("kills a command that runs too long", async () => {
  const run = VsockExec.run(socket, "echo $$; exec sleep 1000", { execTimeoutMs: 300 });
  await expect(run).rejects.toMatchObject({ code: "EXEC_AGENT_TIMEOUT" });
});

it("runs a PTY that follows the window", async () => {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  let text = "";
  stdout.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  const pty = VsockExec.startPty(socket, "sh", { cols: 100, rows: 30, stdin, stdout });
  stdin.write("stty size\r");
  await vi.waitFor(() => expect(text).toContain("30 100"), { timeout: 60_000 });
  pty.resize(90, 20);
  stdin.write("stty size\r");
  await vi.waitFor(() => expect(text).toContain("20 90"), { timeout: 10_000 });
  pty.resize(Number.NaN, 5);
  pty.resize(1_000_000, 21);
  stdin.write("stty size; exit 4\r");
  expect(await pty.result).toEqual({ exitCode: 4 });
  expect(text).toContain("21 10000");
});

it("runs a PTY of 80 by 24 for a terminal that does not know its size", async () => {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const size = { cols: 0, rows: Number.NaN };
  const pty = VsockExec.startPty(socket, "stty size", { ...size, stdin, stdout });
  expect(await pty.result).toEqual({ exitCode: 0 });
  expect(String(stdout.read())).toBe("24 80\r\n");
});

it("keeps a session between clients", async () => {
  const first = await open("work", "sh");
  let text = "";
  first.stdout.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  first.stdin.write("secret=sesame; echo said $((6 * 7))\r");
  await vi.waitFor(() => expect(text).toContain("said 42"), { timeout: 60_000 });
  expect(await listSessions(socket)).toMatchObject([
    { name: "work", pid: first.pid, cols: 80, rows: 24, clients: 1, command: "sh" },
  ]);
  first.close();

  let replay = "";
  const second = await open("work", "never started", ({ bytes }) => {
    replay += bytes;
  });
  expect(second.pid).toBe(first.pid);
  await vi.waitFor(() => expect(replay).toContain("said 42"), { timeout: 60_000 });
  let live = "";
  second.stdout.on("data", (chunk: Buffer) => {
    live += chunk;
  });
  second.stdin.write('echo "open $secret"\r');
  await vi.waitFor(() => expect(live).toContain("open sesame"), { timeout: 60_000 });
  expect(await killSession(socket, "work")).toBe(true);
  expect((await second.wait()).code).toBeGreaterThan(0);
  await vi.waitFor(async () => expect(await killSession(socket, "work")).toBe(false), 60_000);
});

it("stops a session whose reader has stopped, and loses nothing", async () => {
  const session = await open("flood", "stty raw -echo; seq 1 200000; echo end; sleep 1000");
  const chunks: Buffer[] = [];
  session.stdout.on("data", (chunk: Buffer) => {
    chunks.push(Buffer.from(chunk));
    session.stdout.pause();
    setImmediate(() => session.stdout.resume());
  });
  const tail = () => chunks.at(-1)?.toString().endsWith("end\n");
  await vi.waitFor(() => expect(tail()).toBe(true), { timeout: 30_000 });
  const lines = Buffer.concat(chunks).toString().trim().split("\n");
  expect(lines.length).toBe(200_001);
  session.close();
  await killSession(socket, "flood");
});

it("passes refusals on", async () => {
  const long = "x".repeat(65);
  await expect(open(long, "sh")).rejects.toMatchObject({ code: "EXEC_PROTOCOL" });
});

it("delivers secrets", async () => {
  await VsockSecrets.send(relay.socket(1975), { MACHINEN_TEST_TOKEN: "a b=c" });
  const { stdout } = await VsockExec.run(socket, 'printf %s "$MACHINEN_TEST_TOKEN"');
  expect(stdout).toBe("a b=c");
});

import { PassThrough, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { VsockExec } from "../../../src/runtime/exec/index.ts";
import { answering, useFakeAgent } from "./fake-agent.ts";

const agent = useFakeAgent();
const received = () => Buffer.concat(agent.received).toString();
const streams = () => ({ stdin: new PassThrough(), stdout: new PassThrough() });

it("joins two streams with the PTY until the command ends", async () => {
  await agent.listen(answering("A 9\nO 7\nprompt "));
  const { stdin, stdout } = streams();
  const pty = VsockExec.startPty(agent.path, "sh", { cols: 80, rows: 24, stdin, stdout });
  // What is typed before the agent has answered must not be lost.
  expect(stdin.listenerCount("data")).toBe(1);
  stdin.write("early");
  pty.resize(100, 30);
  await vi.waitFor(() => expect(received()).toBe("PTY 80 24 2\nshR 100 30\nI 5\nearly"), 60_000);
  expect(String(stdout.read())).toBe("prompt ");
  stdin.write(Buffer.from("ls\r"));
  // No size keeps the one it has; one too large for the agent is the largest it takes.
  pty.resize(0, 20);
  pty.resize(Number.NaN, 20);
  pty.resize(100_000, 25.7);
  await vi.waitFor(() => expect(received()).toMatch(/I 3\nls\rR 10000 25\n$/), 60_000);
  agent.sockets[0]!.write("O 4\nbye\nX 130\n");
  expect(await pty.result).toEqual({ exitCode: 130 });
  expect(String(stdout.read())).toBe("bye\n");
  expect(stdin.listenerCount("data")).toBe(0);
  pty.resize(1, 1);
  pty.cancel();
});

it("leaves the size to the guest where there is none", async () => {
  await agent.listen(answering("A 9\nX 0\n"));
  await VsockExec.startPty(agent.path, "sh", { cols: 0, rows: Number.NaN, ...streams() }).result;
  expect(received()).toBe("PTY 0 0 2\nsh");
});

it("joins a named session when asked to", async () => {
  await agent.listen(answering("A 9\nX 0\n"));
  const opts = { cols: 80, rows: 24, ...streams() };
  await VsockExec.startPty(agent.path, "top", { ...opts, session: "main" }).result;
  expect(received()).toBe("PTYSESSION 80 24 4 3\nmaintop");
  expect(() => VsockExec.startPty(agent.path, "top", { ...opts, session: "a b" })).toThrow(
    "bad session name",
  );
});

it("cuts large input into frames", async () => {
  await agent.listen(answering("A 9\n"));
  const { stdin, stdout } = streams();
  const pty = VsockExec.startPty(agent.path, "sh", { cols: 80, rows: 24, stdin, stdout });
  const paste = Buffer.alloc(200_000, "p");
  stdin.write(paste);
  await vi.waitFor(() => expect((received().match(/p/g) ?? []).length).toBe(200_000), 60_000);
  const lengths = [...received().matchAll(/I (\d+)\n/g)].map((match) => Number(match[1]));
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(200_000);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(65_536);
  pty.cancel();
  await expect(pty.result).rejects.toMatchObject({ code: "EXEC_PROTOCOL" });
});

it("asks once and does not wait for long", async () => {
  const pty = VsockExec.startPty(agent.path, "sh", { cols: 80, rows: 24, ...streams() });
  await expect(pty.result).rejects.toMatchObject({ code: "EXEC_AGENT_UNAVAILABLE" });
  await agent.listen(() => {});
  const opts = { cols: 80, rows: 24, ...streams(), connectTimeoutMs: 50 };
  const silent = VsockExec.startPty(agent.path, "sh", opts);
  await expect(silent.result).rejects.toMatchObject({ code: "EXEC_AGENT_UNAVAILABLE" });
  expect(agent.connections).toBe(1);
});

it("hangs up when cancelled, before and after the agent has answered", async () => {
  await agent.listen((socket, nth) => void (nth === 2 && answering("A 1\n")(socket, nth)));
  for (const nth of [1, 2]) {
    const { stdin, stdout } = streams();
    const pty = VsockExec.startPty(agent.path, "sh", { cols: 80, rows: 24, stdin, stdout });
    await vi.waitFor(() => expect(agent.received.length).toBe(nth), 60_000);
    await sleep(20);
    pty.cancel();
    await expect(pty.result).rejects.toMatchObject({ code: "EXEC_PROTOCOL" });
    await vi.waitFor(() => expect(agent.sockets[nth - 1]!.destroyed).toBe(true), 60_000);
    expect(stdin.listenerCount("data")).toBe(0);
  }
});

it("stops reading from the guest while the output is full", async () => {
  let sent = 0;
  await agent.listen((socket) =>
    socket.once("data", () => {
      socket.write("A 1\n");
      const frame = Buffer.concat([Buffer.from("O 65536\n"), Buffer.alloc(65_536, "x")]);
      const fill = () => {
        while (sent < 400 && socket.write(frame)) sent++;
        if (sent < 400) {
          sent++;
          socket.once("drain", fill);
        } else socket.write("X 0\n");
      };
      fill();
    }),
  );
  let taken = 0;
  let release: (() => void) | undefined;
  const stdout = new Writable({
    write(chunk, _encoding, callback) {
      taken += chunk.length;
      if (release === undefined) release = callback;
      else callback();
    },
  });
  const opts = { cols: 80, rows: 24, stdin: new PassThrough(), stdout };
  const pty = VsockExec.startPty(agent.path, "sh", opts);
  await vi.waitFor(() => expect(release).toBeDefined(), 60_000);
  await sleep(150);
  expect(sent).toBeLessThan(100);
  release!();
  expect(await pty.result).toEqual({ exitCode: 0 });
  await vi.waitFor(() => expect(taken).toBe(400 * 65_536), 60_000);
});

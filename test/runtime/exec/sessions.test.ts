import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { killSession, listSessions, openSession } from "../../../src/runtime/exec/index.ts";
import type { OpenSessionOptions } from "../../../src/runtime/host/host.ts";
import { answering, useFakeAgent } from "./fake-agent.ts";

const agent = useFakeAgent();
const received = () => Buffer.concat(agent.received).toString();
const open = (opts: Partial<OpenSessionOptions> = {}) =>
  openSession(agent.path, { name: "main", command: "sh", cols: 80, rows: 24, ...opts });

it("replays, goes live, takes input and ends with the command", async () => {
  await agent.listen(answering("A 42\nW 90 20\nB 4\npast", "B 1\n!", "O 4\nlive"));
  const replays: unknown[] = [];
  const session = await open({
    onReplay: ({ bytes, ...rest }) => replays.push({ ...rest, text: bytes.toString() }),
  });
  expect(session.pid).toBe(42);
  expect(session.stderr).toBe(session.stdout);
  let output = "";
  session.stdout.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  await vi.waitFor(() => expect(output).toBe("live"), 60_000);
  expect(replays.map((replay) => (replay as { text: string }).text).join("")).toBe("past!");
  expect(replays[0]).toMatchObject({ cols: 90, rows: 20, again: false });

  session.stdin.write("ls\r");
  session.resize(100, 40);
  await vi.waitFor(
    () => expect(received()).toBe("PTYSESSION 80 24 4 2\nmainshI 3\nls\rR 100 40\n"),
    60_000,
  );
  const ended = new Promise((resolve) => session.stdout.once("end", resolve));
  agent.sockets[0]!.write("O 1\n.X 129\n");
  expect(await session.wait()).toEqual({ code: 129, signal: null });
  await ended;
  expect(output).toBe("live.");
  session.stdin.write("into the void");
  session.resize(1, 1);
  session.close();
});

it("starts a later replay anew, and not before what came earlier has been read", async () => {
  await agent.listen(answering("A 1\nW 80 24\nB 1\n0O 3\noneW 80 24\nB 3\n\x1bc1B 1\n2O 3\ntwo"));
  const order: string[] = [];
  const session = await open({
    onReplay: ({ bytes, again }) => order.push(`replay ${again} ${bytes.toString().slice(-1)}`),
  });
  await sleep(30);
  expect(order).toEqual(["replay false 0"]);
  session.stdout.on("data", (chunk: Buffer) => order.push(chunk.toString()));
  await vi.waitFor(() => expect(order).toContain("two"), 60_000);
  expect(order[1]).toBe("one");
  expect(order[2]).toMatch(/^replay true/);
  expect(order.filter((entry) => entry.includes("true"))).toHaveLength(1);
  session.close();
});

it("stops the guest when nobody reads, and loses nothing", async () => {
  let sent = 0;
  const total = 300;
  await agent.listen((socket) =>
    socket.once("data", () => {
      socket.write("A 1\n");
      const send = (): void => {
        while (sent < total) {
          const body = Buffer.alloc(65_536, sent++ % 256);
          if (!socket.write(Buffer.concat([Buffer.from("O 65536\n"), body]))) {
            socket.once("drain", send);
            return;
          }
        }
        socket.write("X 0\n");
      };
      send();
    }),
  );
  const session = await open();
  await sleep(100);
  expect(sent).toBeLessThan(50);
  let taken = 0;
  let wrong = 0;
  let pauses = 0;
  session.stdout.on("data", (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += 997) {
      if (chunk[at] !== Math.floor((taken + at) / 65_536) % 256) wrong++;
    }
    taken += chunk.length;
    if (pauses++ % 50 === 0) {
      session.stdout.pause();
      setTimeout(() => session.stdout.resume(), 5);
    }
  });
  await new Promise((resolve) => session.stdout.once("end", resolve));
  expect([taken, wrong]).toEqual([total * 65_536, 0]);
  expect(await session.wait()).toEqual({ code: 0, signal: null });
});

it("rejects wait when the connection is lost or given up", async () => {
  await agent.listen(answering("A 1\n"));
  const lost = await open();
  agent.sockets[0]!.destroy();
  await expect(lost.wait()).rejects.toMatchObject({ code: "EXEC_PROTOCOL" });
  const closed = await open();
  closed.close();
  await expect(closed.wait()).rejects.toThrow("detached");
  await vi.waitFor(() => expect(agent.sockets[1]!.destroyed).toBe(true), 60_000);
});

it("rejects when the agent refuses or hangs up first", async () => {
  await agent.listen(answering("! SESSION_LIMIT too many sessions\n"));
  await expect(open()).rejects.toMatchObject({
    code: "EXEC_PROTOCOL",
    message: expect.stringContaining("SESSION_LIMIT"),
  });
  await expect(open({ name: "not ok" })).rejects.toMatchObject({ code: "EXEC_PROTOCOL" });
});

it("lists sessions and leaves out what is no session", async () => {
  const lines =
    "main\t7\t80\t24\t1\tsh -c 'a b'\nbad name\t1\t1\t1\t1\tx\n\nshort\t1\nx\t9\t1\t1\t0\tev\x1b[2Jil\n";
  await agent.listen(answering(`A 1\nO ${lines.length}\n${lines}X 0\n`));
  expect(await listSessions(agent.path)).toEqual([
    { name: "main", pid: 7, cols: 80, rows: 24, clients: 1, command: "sh -c 'a b'" },
    { name: "x", pid: 9, cols: 1, rows: 1, clients: 0, command: "ev [2Jil" },
  ]);
  expect(received()).toBe("PTYLIST\n");
});

it("does not read a list without end", async () => {
  await agent.listen((socket) =>
    socket.once("data", () => {
      socket.write("O 65536\n");
      const body = Buffer.alloc(65_536, "x");
      for (let count = 0; count < 40; count++) socket.write(`${body}O 65536\n`);
    }),
  );
  await expect(listSessions(agent.path)).rejects.toThrow("no end");
});

it("kills a session by name", async () => {
  await agent.listen((socket, nth) => answering(nth === 1 ? "X 0\n" : "X 1\n")(socket, nth));
  expect(await killSession(agent.path, "main")).toBe(true);
  expect(await killSession(agent.path, "main")).toBe(false);
  expect(received()).toBe("PTYKILL 4\nmainPTYKILL 4\nmain");
});

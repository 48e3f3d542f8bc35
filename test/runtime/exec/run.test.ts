import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { VsockExec } from "../../../src/runtime/exec/index.ts";
import { answering, useFakeAgent } from "./fake-agent.ts";

const agent = useFakeAgent();

it("sends the command whole and returns code and output", async () => {
  await agent.listen(answering("A 5\nO 4\nout\n", "E 4\nerr\n", "X 3\n"));
  const seen: string[] = [];
  const cmd = "echo 'hällo'\nsecond line";
  const result = await VsockExec.run(agent.path, cmd, {
    onStdout: (chunk) => seen.push(`out:${chunk}`),
    onStderr: (chunk) => seen.push(`err:${chunk}`),
  });
  expect(result).toEqual({ exitCode: 3, stdout: "out\n", stderr: "err\n" });
  expect(seen).toEqual(["out:out\n", "err:err\n"]);
  expect(Buffer.concat(agent.received).toString()).toMatch(
    new RegExp(`^EXEC3 ${Buffer.byteLength(cmd) + 29}\\nid [0-9a-f]{24}\\n\\n${cmd}$`),
  );
});

it("joins characters that were cut between frames", async () => {
  const euro = Buffer.from("€");
  await agent.listen(
    answering("A 1\nO 1\n", euro.subarray(0, 1), "O 2\n", euro.subarray(1), "X 0\n"),
  );
  expect((await VsockExec.run(agent.path, "x")).stdout).toBe("€");
});

it("waits for the socket to appear and for connections to stay", async () => {
  const result = VsockExec.run(agent.path, "x", { retryMs: 10 });
  await sleep(30);
  await agent.listen((socket, nth) => {
    if (nth === 1) socket.destroy();
    else if (nth === 2) socket.end();
    else if (nth === 3) socket.once("data", () => socket.destroy());
    else answering("A 1\nX 0\n")(socket, nth);
  });
  expect((await result).exitCode).toBe(0);
  expect(agent.connections).toBe(4);
});

it("never starts a command twice", async () => {
  for (const begun of ["A", "A 1\n", "A 1\nO 5\nab"]) {
    agent.connections = 0;
    agent.sockets.length = 0;
    if (begun === "A") {
      await agent.listen((socket) => socket.once("data", () => socket.end(current)));
    }
    current = begun;
    await expect(VsockExec.run(agent.path, "x", { retryMs: 1 })).rejects.toMatchObject({
      code: "EXEC_PROTOCOL",
      retryable: false,
    });
    expect(agent.connections).toBe(1);
  }
});
let current = "";

it("says that the agent is not there: no socket, always closed, or silent", async () => {
  const unavailable = { code: "EXEC_AGENT_UNAVAILABLE", retryable: true };
  const opts = { connectTimeoutMs: 400, retryMs: 10 };
  await expect(VsockExec.run(agent.path, "x", opts)).rejects.toMatchObject({
    ...unavailable,
    message: expect.stringContaining("ENOENT"),
  });
  let silent = false;
  await agent.listen((socket) => void (silent || socket.destroy()));
  await expect(VsockExec.run(agent.path, "x", opts)).rejects.toMatchObject(unavailable);
  expect(agent.connections).toBeGreaterThan(1);
  silent = true;
  await expect(VsockExec.run(agent.path, "x", opts)).rejects.toMatchObject({
    ...unavailable,
    message: expect.stringContaining("no answer within 400 ms"),
  });
});

it("ends a command that runs too long by closing the connection", async () => {
  await agent.listen(answering("A 1\nO 1\nx"));
  await expect(VsockExec.run(agent.path, "x", { execTimeoutMs: 500 })).rejects.toMatchObject({
    code: "EXEC_AGENT_TIMEOUT",
    retryable: true,
  });
  const socket = agent.sockets[0]!;
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
});

it("sets no limit for null and Infinity", async () => {
  await agent.listen((socket) =>
    socket.once("data", async () => {
      socket.write("A 1\n");
      await sleep(30);
      socket.write("X 0\n");
    }),
  );
  for (const execTimeoutMs of [null, Number.POSITIVE_INFINITY, 2 ** 40]) {
    expect((await VsockExec.run(agent.path, "x", { execTimeoutMs })).exitCode).toBe(0);
  }
});

it("passes a refusal and a malformed answer on", async () => {
  await agent.listen((socket, nth) =>
    answering(nth === 1 ? "! EXEC_BUSY too many commands\n" : "HTTP/1.1 400 Bad Request\r\n")(
      socket,
      nth,
    ),
  );
  await expect(VsockExec.run(agent.path, "x")).rejects.toMatchObject({
    code: "EXEC_PROTOCOL",
    message: expect.stringContaining("EXEC_BUSY too many commands"),
  });
  await expect(VsockExec.run(agent.path, "x")).rejects.toMatchObject({ code: "EXEC_PROTOCOL" });
  await expect(VsockExec.run(agent.path, "a\0b")).rejects.toMatchObject({ code: "EXEC_PROTOCOL" });
  expect(agent.connections).toBe(2);
});

it("gives a listener's exception to the caller and hangs up", async () => {
  await agent.listen(answering("A 1\nO 1\nx"));
  const onStdout = () => {
    throw new Error("listener");
  };
  await expect(VsockExec.run(agent.path, "x", { onStdout })).rejects.toThrow("listener");
});

it("hands output on while the command still runs", async () => {
  let goOn = () => {};
  await agent.listen((socket) => {
    socket.once("data", () => socket.write("A 1\nO 3\nout"));
    goOn = () => socket.write("E 3\nerrX 0\n");
  });
  const seen: string[] = [];
  await VsockExec.run(agent.path, "x", {
    onStdout: (chunk) => {
      seen.push(String(chunk));
      goOn();
    },
    onStderr: (chunk) => seen.push(String(chunk)),
  });
  expect(seen).toEqual(["out", "err"]);
});

it("waits for a listener's promise before the next piece, of either stream, and before the end", async () => {
  await agent.listen(answering("A 1\n", "O 1\n1E 1\n2O 1\n3", "E 1\n4X 0\n"));
  const seen: string[] = [];
  const takes = async (chunk: Buffer) => {
    seen.push(`begins ${chunk}`);
    await sleep(5);
    seen.push(`ends ${chunk}`);
  };
  const options = { onStdout: takes, onStderr: takes };
  expect(await VsockExec.run(agent.path, "x", options)).toMatchObject({
    stdout: "13",
    stderr: "24",
  });
  expect(seen).toEqual([1, 2, 3, 4].flatMap((n) => [`begins ${n}`, `ends ${n}`]));
});

it("is not late when only a listener takes its time after the command's end", async () => {
  await agent.listen(answering("A 1\n", "O 1\nxX 3\n"));
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const onStdout = async () => {
      // What came with this piece has been read then.
      await new Promise((resolve) => setImmediate(resolve));
      vi.advanceTimersByTime(600_000);
    };
    expect((await VsockExec.run(agent.path, "x", { onStdout })).exitCode).toBe(3);
  } finally {
    vi.useRealTimers();
  }
});

it("gives what a listener's promise was rejected with to the caller, hangs up and tells nobody more", async () => {
  await agent.listen(answering("A 1\nO 1\nxE 1\nyO 1\nz"));
  const seen: string[] = [];
  const onStdout = async (chunk: Buffer) => {
    seen.push(String(chunk));
    await sleep(5);
    throw new Error("listener");
  };
  const onStderr = (chunk: Buffer) => seen.push(String(chunk));
  const run = VsockExec.run(agent.path, "x", { onStdout, onStderr });
  await expect(run).rejects.toThrow("listener");
  const socket = agent.sockets[0]!;
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  expect(seen).toEqual(["x"]);
});

it("reads nothing more of the guest while a listener's promise is pending", async () => {
  const total = 400;
  let sent = 0;
  await agent.listen((socket) =>
    socket.once("data", () => {
      socket.write("A 1\n");
      const frame = Buffer.concat([Buffer.from("O 65536\n"), Buffer.alloc(65_536, "x")]);
      const fill = () => {
        while (sent < total) {
          sent += 1;
          if (!socket.write(frame)) {
            socket.once("drain", fill);
            return;
          }
        }
        socket.write("X 0\n");
      };
      fill();
    }),
  );
  let taken = 0;
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const run = VsockExec.run(agent.path, "x", {
    onStdout: (chunk) => {
      taken += chunk.length;
      return gate;
    },
  });
  await vi.waitFor(() => expect(taken).toBeGreaterThan(0), 60_000);
  // It comes to rest: twice the same after turns of the event loop in which more could have come.
  let before = -1;
  await vi.waitFor(() => {
    const now = sent;
    const rests = now === before;
    before = now;
    expect(rests).toBe(true);
  }, 60_000);
  expect(sent).toBeLessThan(100);
  release();
  expect((await run).exitCode).toBe(0);
  expect(taken).toBe(total * 65_536);
});

it("carries megabytes unharmed", async () => {
  const frame = Buffer.alloc(65_536);
  for (let at = 0; at < frame.length; at++) frame[at] = 32 + (at % 90);
  await agent.listen((socket) =>
    socket.once("data", () => {
      socket.write("A 1\n");
      for (let count = 0; count < 100; count++) {
        socket.write("O 65536\n");
        socket.write(frame);
      }
      socket.write("X 0\n");
    }),
  );
  const { stdout } = await VsockExec.run(agent.path, "x");
  expect(stdout.length).toBe(100 * 65_536);
  expect(stdout === frame.toString().repeat(100)).toBe(true);
});

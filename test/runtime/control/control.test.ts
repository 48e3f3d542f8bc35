import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { agentRequest, waitForAgent } from "../../../src/runtime/control/agent-control.ts";
import { RequestError } from "../../../src/runtime/control/line-client.ts";
import { vmmConsole, vmmQuit, vmmStatus } from "../../../src/runtime/control/vmm-control.ts";
import { rejection, useScratch } from "../machine/scratch.ts";
import { serveLines } from "./fake-server.ts";

const scratch = useScratch();
let count = 0;
const socketPath = () => join(scratch.path, `${count++}.sock`);
afterAll(() => scratch.remove());

async function answering<T>(
  reply: string | Buffer | undefined,
  ask: (path: string) => Promise<T>,
): Promise<T> {
  const path = socketPath();
  const server = await serveLines(path, () => reply);
  try {
    return await ask(path);
  } finally {
    await server.close();
  }
}

describe("the VMM's control socket", () => {
  test("status is read", async () => {
    const line =
      '{"ok":true,"state":"running","linked":true,"qemuPid":42,"accel":"tcg","memoryMib":512,"uptimeMs":7}\n';
    expect(await answering(line, vmmStatus)).toMatchObject({
      state: "running",
      linked: true,
      qemuPid: 42,
      memoryMib: 512,
    });
  });

  test.each([
    ['{"ok":false,"code":"BUSY","message":"not now"}\n', "not now"],
    ["rubbish\n", "not JSON"],
    ["null\n", "not an object"],
    ['{"ok":true,"state":"odd"}\n', "unknown state"],
  ])("%j is refused", async (line, message) => {
    expect((await rejection(answering(line, vmmStatus))).message).toContain(message);
  });

  test("the console follows its line, also in pieces", async () => {
    const body = Buffer.alloc(300_000, "x");
    const reply = Buffer.concat([Buffer.from(`{"ok":true,"length":${body.length}}\n`), body]);
    expect((await answering(reply, vmmConsole)).equals(body)).toBe(true);
  });

  test("a console that breaks off is an error, not a short console", async () => {
    const path = socketPath();
    const server = await serveLines(path, (_line, socket) => {
      socket.end('{"ok":true,"length":10}\nabc');
      return "";
    });
    expect(await rejection(vmmConsole(path))).toMatchObject({ reason: "lost" });
    await server.close();
  });

  test("why there was no answer", async () => {
    expect(await rejection(vmmQuit(socketPath()))).toMatchObject({ reason: "refused" });
    expect(await rejection(answering(undefined, vmmQuit))).toMatchObject({ reason: "lost" });
    const silent = await rejection(answering("", (path) => vmmQuit(path, 20)));
    expect(silent).toBeInstanceOf(RequestError);
    expect(silent).toMatchObject({ reason: "timeout" });
  });

  test("an endless line is cut off", async () => {
    const flood = Buffer.alloc(1024 * 1024, "a");
    expect(await rejection(answering(flood, vmmStatus))).toMatchObject({ reason: "lost" });
  });
});

describe("the agent's control service", () => {
  test("OK with and without text; ERR is an error", async () => {
    expect(await answering("OK 123\n", (path) => agentRequest(path, "PING"))).toBe("123");
    expect(await answering("OK\n", (path) => agentRequest(path, "SYNC"))).toBe("");
    const refused = await rejection(
      answering("ERR no\n", (path) => agentRequest(path, "TIME 1 2")),
    );
    expect(refused.message).toBe("the agent refused TIME: no");
  });

  test("an agent that resets early connections is asked again", async () => {
    const path = socketPath();
    let calls = 0;
    const server = await serveLines(path, () => (++calls < 3 ? undefined : "OK 1\n"));
    await waitForAgent(path, 60_000);
    expect(server.lines).toEqual(["PING", "PING", "PING"]);
    await server.close();
  });

  test("it is not waited for when the machine has ended, nor past the deadline", async () => {
    const gone = await rejection(waitForAgent(socketPath(), 60_000, () => true));
    expect(gone.message).toContain("ended before");
    const silent = await rejection(waitForAgent(socketPath(), 30));
    expect(silent.message).toContain("did not answer within 30 ms");
  });
});

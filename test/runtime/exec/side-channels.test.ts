import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { VsockSecrets, VsockWinsize } from "../../../src/runtime/exec/index.ts";
import { useFakeAgent } from "./fake-agent.ts";

const agent = useFakeAgent();
const received = () => Buffer.concat(agent.received).toString();

it("sends a window size when it changes, once the service is there", async () => {
  const connecting = VsockWinsize.connect(agent.path, { retryMs: 5 });
  await sleep(20);
  await agent.listen(() => {});
  const winsize = await connecting;
  winsize.send(80, 24);
  winsize.send(80, 24);
  winsize.send(100, 30);
  winsize.send(80, 24);
  await vi.waitFor(() => expect(received()).toBe("80 24\n100 30\n80 24\n"), 60_000);
  winsize.close();
  winsize.send(1, 1);
  await expect(VsockWinsize.connect(`${agent.path}-none`, { timeoutMs: 30 })).rejects.toMatchObject(
    { code: "WINSIZE_AGENT_UNAVAILABLE", retryable: true },
  );
});

it("delivers secrets, again after a broken connection", async () => {
  await agent.listen((socket, nth) => {
    if (nth === 1) socket.destroy();
    else socket.once("end", () => socket.end());
  });
  await VsockSecrets.send(agent.path, { TOKEN: "a=b c", _X1: "" }, { retryMs: 5 });
  expect(received().endsWith("TOKEN=a=b c\n_X1=\n")).toBe(true);
});

it("waits for ever for a guest that takes its time, when told so", async () => {
  await agent.listen((socket) => {
    socket.once("end", () => setImmediate(() => socket.end()));
  });
  await VsockSecrets.send(agent.path, { A: "x" }, { timeoutMs: Number.POSITIVE_INFINITY });
  expect(received()).toBe("A=x\n");
});

it("refuses secrets that would become others, and reports a guest that takes none", async () => {
  for (const bad of [{ A: "x\nB=y" }, { A: "x\0" }, { "A=1\nB": "x" }, { "A=B": "x" }]) {
    await expect(VsockSecrets.send(agent.path, bad as never)).rejects.toMatchObject({
      code: "SECRETS_VALUE_INVALID",
    });
  }
  await expect(
    VsockSecrets.send(agent.path, { A: "x" }, { timeoutMs: 40, retryMs: 5 }),
  ).rejects.toMatchObject({ code: "SECRETS_AGENT_UNAVAILABLE", retryable: true });
});

import type { PassThrough } from "node:stream";
import { expect, it, vi } from "vitest";
import { LocalSession } from "../../../src/runtime/multiplex/local-session.ts";

const limit = { timeout: 60_000 };

it("gives a program's last output also to a client that is behind when the program ends", async () => {
  const lines = Array.from({ length: 2000 }, (_, i) => `${1000 + i}\r\n`).join("");
  const command = "stty -echo; seq 1000 1999; read line; seq 2000 2999; read line";
  const size = { cols: 80, rows: 24 };
  const session = new LocalSession({ binary: "/bin/sh", args: ["-c", command], ...size });
  const client = session.attach(size);
  // More than the client takes: what comes now waits behind it.
  const before = "x".repeat(1 << 17);
  (client.stdout as PassThrough).write(before);
  const { pty } = session;
  const arrived = () => session.screen.length + pty.stdout.readableLength;
  await vi.waitFor(() => expect(arrived()).toBe(lines.length / 2), limit);
  client.stdin.write("\r");
  await vi.waitFor(() => expect(arrived()).toBe(lines.length), limit);
  expect(pty.stdout.readableLength).toBeGreaterThanOrEqual(lines.length / 2);
  client.stdin.write("\r");
  expect(await client.wait()).toEqual({ code: 0, signal: null });
  await new Promise(setImmediate);
  let text = "";
  client.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  await new Promise((resolve) => client.stdout.once("end", resolve));
  expect(text).toBe(before + lines);
});

import { expect, it, vi } from "vitest";
import { LocalSession } from "../../../src/runtime/multiplex/local-session.ts";

it("gives a program's last output also to a client that is behind when the program ends", async () => {
  const lines = Array.from({ length: 8000 }, (_, i) => `${1000 + i}\r\n`).join("");
  const command = "stty -echo; seq 1000 8999; read line";
  const size = { cols: 80, rows: 24 };
  const session = new LocalSession({ binary: "/bin/sh", args: ["-c", command], ...size });
  const client = session.attach(size);
  // More than the client takes: the rest waits behind it.
  const { pty } = session;
  const arrived = () => session.screen.length + pty.stdout.readableLength;
  await vi.waitFor(() => expect(arrived()).toBe(lines.length), 10_000);
  expect(pty.stdout.readableLength).toBeGreaterThan(0);
  client.stdin.write("\r");
  expect(await client.wait()).toEqual({ code: 0, signal: null });
  await new Promise(setImmediate);
  let text = "";
  client.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  await new Promise((resolve) => client.stdout.once("end", resolve));
  expect(text).toBe(lines);
});

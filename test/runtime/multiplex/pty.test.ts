import { relative } from "node:path";
import { expect, it, vi } from "vitest";
import { bootPty } from "../../../src/runtime/multiplex/index.ts";

const sh = (script: string, opts = {}) =>
  bootPty({ binary: "/bin/sh", args: ["-c", script], ...opts });

it("runs a program on a terminal of the asked size and kind", async () => {
  const pty = sh('stty size; echo "$TERM $COLOUR $(pwd)"', {
    cols: 100,
    rows: 40,
    cwd: "/tmp",
    env: { COLOUR: "blue" },
  });
  expect(pty.pid).toBeGreaterThan(1);
  expect(pty.stderr).toBe(pty.stdout);
  expect(await pty.output()).toBe("40 100\r\nxterm-256color blue /tmp\r\n");
  expect(await pty.errorOutput()).toBe(await pty.output());
  const plain = sh('stty size; echo "$TERM"', { name: "dumb" });
  expect(await plain.output()).toBe("24 80\r\ndumb\r\n");
});

it("finds a program relative to the current directory", async () => {
  const pty = bootPty({ binary: relative(process.cwd(), "/bin/echo"), args: ["found"] });
  expect(await pty.output()).toBe("found\r\n");
});

it("reports how the program ended", async () => {
  expect(await sh("exit 7").wait()).toEqual({ code: 7, signal: null });
  expect(await sh("kill -TERM $$").wait()).toEqual({ code: null, signal: "SIGTERM" });
});

it("carries bytes unchanged both ways", async () => {
  const pty = sh(
    "stty raw -echo; echo ready; head -c 512 | od -An -v -tu1 | tr -d '\\n'; printf '\\377\\000'",
  );
  const got: Buffer[] = [];
  pty.stdout.on("data", (chunk: Buffer) => got.push(chunk));
  await vi.waitFor(() => expect(Buffer.concat(got).toString()).toContain("ready"), 60_000);
  const bytes = Buffer.from(Array.from({ length: 512 }, (_, at) => at % 256));
  pty.stdin.write(bytes);
  await pty.wait();
  const all = Buffer.concat(got);
  expect([...all.subarray(-2)]).toEqual([255, 0]);
  const numbers = all.subarray(0, -2).toString().match(/\d+/g)!.map(Number);
  expect(Buffer.from(numbers)).toEqual(bytes);
});

it("keeps what a program does not read yet, and goes on meanwhile", async () => {
  const pty = sh("stty raw -echo; echo ready; head -c 1; head -c 299999 | cksum; sleep 600");
  let text = "";
  pty.stdout.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
  });
  await vi.waitFor(() => expect(text).toContain("ready"), 60_000);
  process.kill(pty.pid, "SIGSTOP");
  const written = new Promise((resolve) => pty.stdin.write(Buffer.alloc(300_000, "x"), resolve));
  expect(pty.stdin.writableLength).toBe(300_000);
  process.kill(pty.pid, "SIGCONT");
  await written;
  expect(pty.stdin.writableLength).toBe(0);
  await vi.waitFor(() => expect(text).toContain("316681728 299999"), 60_000);
  await pty.kill();
  expect(await new Promise((resolve) => pty.stdin.write("late", resolve))).toBeInstanceOf(Error);
});

it("kills what ignores every other signal, also when nobody reads its flood", async () => {
  const pty = sh("trap '' HUP TERM INT; while :; do echo flood; done");
  await new Promise((resolve) => setTimeout(resolve, 50));
  await pty.kill();
  expect(() => process.kill(pty.pid, 0)).toThrow();
  expect(await pty.wait()).toEqual({ code: null, signal: "SIGKILL" });
  await pty.kill();
  pty.resize(10, 10);
  expect(pty.stdin.writable).toBe(false);
});

it("loses nothing to a slow reader", async () => {
  const pty = sh("stty raw; seq 1 60000; sleep 600");
  let text = "";
  pty.stdout.setEncoding("latin1");
  pty.stdout.on("data", (chunk: string) => {
    text += chunk;
    pty.stdout.pause();
    setImmediate(() => pty.stdout.resume());
  });
  const last = "59999\n60000\n";
  await vi.waitFor(() => expect(text.endsWith(last)).toBe(true), { timeout: 60_000 });
  expect(text.split("\n").length).toBe(60_001);
  await pty.kill();
});

it.each([
  ["little", 0],
  ["more than the streams take", 4999],
])(
  "keeps what a program wrote last before it ended, when nobody read yet: %s",
  async (_much, last) => {
    const pty = sh(`stty raw; seq 1000 ${last}; printf END; kill -9 $$`);
    pty.stdout.pause();
    expect(await pty.wait()).toEqual({ code: null, signal: "SIGKILL" });
    let text = "";
    pty.stdout.on("data", (chunk: Buffer) => {
      text += chunk;
    });
    pty.stdout.resume();
    await new Promise((resolve) => pty.stdout.once("end", resolve));
    const lines = Array.from({ length: Math.max(0, last - 999) }, (_, i) => `${1000 + i}\n`);
    expect(text === `${lines.join("")}END`, text.slice(-20)).toBe(true);
  },
);

it("says when there is no such program", () => {
  expect(() => bootPty({ binary: "/no/such/program" })).toThrow(
    expect.objectContaining({ code: "BOOT_VMM_MISSING" }),
  );
});

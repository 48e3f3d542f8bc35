import { PassThrough, Writable } from "node:stream";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  bootPty,
  DETACH_HOLD_MS,
  type PtyVmHandle,
  Sandboxes,
  Supervisor,
} from "../../../src/runtime/multiplex/index.ts";

const OUT = "\x1d\x1d";
const ptys: PtyVmHandle[] = [];
afterEach(async () => {
  await Promise.all(ptys.splice(0).map((pty) => pty.kill()));
});

function start(opts: { commandPrefix?: string } = {}) {
  const sandboxes = new Sandboxes();
  const input = new PassThrough();
  const output = new PassThrough();
  let text = "";
  output.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  const supervisor = new Supervisor({ sandboxes, input, output, ...opts });
  const done = supervisor.run();
  return { sandboxes, input, output, supervisor, done, text: () => text };
}

function cat(sandboxes: Sandboxes, id: string): PtyVmHandle {
  const pty = bootPty({ binary: "/bin/cat" });
  ptys.push(pty);
  sandboxes.add(id, pty);
  return pty;
}

const streams = () => ({
  stdin: new PassThrough(),
  stdout: new PassThrough(),
  stderr: new PassThrough(),
});

describe("commands", () => {
  it("lists, helps, explains mistakes and quits", async () => {
    const { sandboxes, input, done, text } = start();
    input.write("/ls\n");
    await vi.waitFor(() => expect(text()).toContain("no sandboxes"), 60_000);
    sandboxes.add("one", streams());
    input.write("/l");
    input.write("s\r\nhello\n/nope\n/attach\n/attach two\n/help\n");
    await vi.waitFor(() => expect(text()).toContain("there is no sandbox"), 60_000);
    expect(text()).toMatch(/^one +running +\d+s$/m);
    expect(text()).toContain("not attached");
    expect(text()).toContain("no command /nope");
    expect(text()).toContain("usage: /attach <id>");
    for (const usage of ["/ls", "/attach <id>", "/help", "/quit"]) expect(text()).toContain(usage);
    input.write("/quit\n/ls\n");
    await done;
    expect(sandboxes.list()).toHaveLength(1);
  });

  it("ends with the input, and at once after stop", async () => {
    const one = start();
    one.input.end();
    await one.done;
    const two = start({ commandPrefix: ":" });
    two.input.write(":ls\n");
    await vi.waitFor(() => expect(two.text()).toContain("no sandboxes"), 60_000);
    two.supervisor.stop();
    two.supervisor.stop();
    await two.done;
    await two.supervisor.run();
    expect(two.input.listenerCount("data")).toBe(0);
  });

  it("does not hoard a line without end", async () => {
    const { input, text } = start();
    for (let count = 0; count < 100; count++) input.write("x".repeat(65_536));
    input.write("\n/ls\n");
    await vi.waitFor(() => expect(text()).toContain("no sandboxes"), 60_000);
  });
});

describe("attached", () => {
  it("joins a real PTY, leaves it, and shows its past on the next visit", async () => {
    const { sandboxes, input, text, supervisor, done } = start();
    cat(sandboxes, "cat");
    input.write("/attach cat\n");
    input.write("hello\r");
    await vi.waitFor(() => expect(text()).toContain("hello\r\nhello\r\n"), 60_000);
    input.write(OUT);
    await vi.waitFor(() => expect(text()).toContain("detached from cat"), 60_000);
    sandboxes.send("cat", "unseen\r");
    await vi.waitFor(
      () => expect(sandboxes.get("cat")!.scrollback.toString()).toContain("unseen\r\nunseen"),
      60_000,
    );
    expect(text()).not.toContain("unseen");
    input.write("/attach cat\n");
    await vi.waitFor(() => expect(text()).toContain("unseen\r\nunseen"), 60_000);
    supervisor.stop();
    await done;
  });

  it("takes a pasted script that attaches, types, detaches and commands in one piece", async () => {
    const { sandboxes, input, text } = start();
    const vm = streams();
    sandboxes.add("a", vm);
    sandboxes.add("b", streams());
    input.write(`/attach a\n/ls is typed${OUT}/ls\n/attach b\nx${OUT}/quit\n`);
    await vi.waitFor(() => expect(text()).toContain("detached from b"), 60_000);
    expect(String(vm.stdin.read())).toBe("/ls is typed");
    expect(text()).toMatch(/^a +running/m);
  });

  it("delivers every byte but the detach keys, a single Ctrl-] a little later", async () => {
    const { sandboxes, input, supervisor } = start();
    const vm = streams();
    sandboxes.add("a", vm);
    supervisor.attach("a");
    const typed = Buffer.from([0, 3, 4, 0x1a, 0xff, 0x1d]);
    input.write(typed);
    await vi.waitFor(() => expect(vm.stdin.readableLength).toBe(5), 60_000);
    await vi.waitFor(() => expect(vm.stdin.readableLength).toBe(6), {
      timeout: DETACH_HOLD_MS * 20,
    });
    expect(vm.stdin.read()).toEqual(typed);
    expect(() => supervisor.attach("b")).toThrow(
      expect.objectContaining({ code: "SANDBOX_ID_UNKNOWN" }),
    );
  });

  it("goes from one sandbox to another without mixing their output", async () => {
    const { sandboxes, supervisor, text } = start();
    const [a, b] = [streams(), streams()];
    sandboxes.add("a", a);
    sandboxes.add("b", b);
    supervisor.attach("a");
    supervisor.attach("b");
    a.stdout.write("unwanted");
    b.stderr.write("from b");
    await vi.waitFor(() => expect(text()).toContain("from b"), 60_000);
    expect(text()).not.toContain("unwanted");
  });

  it("comes back to the commands when the sandbox ends", async () => {
    const { sandboxes, input, supervisor, text } = start();
    const vm = streams();
    sandboxes.add("a", vm);
    supervisor.attach("a");
    vm.stdout.end("last words");
    await vi.waitFor(() => expect(text()).toContain("detached from a"), 60_000);
    expect(text()).toContain("last words");
    input.write("/ls\n");
    await vi.waitFor(() => expect(text()).toMatch(/^a +ended/m), 60_000);
  });

  it("slows the sandbox down while the terminal is full", async () => {
    const sandboxes = new Sandboxes();
    const vm = streams();
    sandboxes.add("a", vm);
    let release: (() => void) | undefined;
    let taken = 0;
    const output = new Writable({
      write(chunk, _encoding, callback) {
        taken += chunk.length;
        if (chunk.includes("flood") && release === undefined) release = callback;
        else callback();
      },
    });
    const supervisor = new Supervisor({ sandboxes, input: new PassThrough(), output });
    supervisor.attach("a");
    vm.stdout.write("flood".repeat(20_000));
    await vi.waitFor(() => expect(vm.stdout.isPaused()).toBe(true), 60_000);
    vm.stdout.write("more");
    const before = taken;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(taken).toBe(before);
    release!();
    await vi.waitFor(() => expect(taken).toBe(before + 4), 60_000);
    expect(vm.stdout.isPaused()).toBe(false);
  });
});

describe("a terminal", () => {
  function tty() {
    const input = Object.assign(new PassThrough(), {
      isTTY: true,
      isRaw: false,
      setRawMode(raw: boolean) {
        input.isRaw = raw;
      },
    });
    const output = Object.assign(new PassThrough(), { isTTY: true, columns: 90, rows: 30 });
    output.resume();
    return { input, output };
  }

  it("is raw while attached, and as before afterwards", async () => {
    for (const before of [false, true]) {
      const { input, output } = tty();
      input.isRaw = before;
      const sandboxes = new Sandboxes();
      sandboxes.add("a", streams());
      const exitListeners = process.listenerCount("exit");
      const supervisor = new Supervisor({ sandboxes, input, output });
      supervisor.attach("a");
      expect(input.isRaw).toBe(true);
      supervisor.detach();
      expect(input.isRaw).toBe(before);
      supervisor.attach("a");
      supervisor.stop();
      expect(input.isRaw).toBe(before);
      expect(process.listenerCount("exit")).toBe(exitListeners);
    }
    const { input, output } = tty();
    const sandboxes = new Sandboxes();
    sandboxes.add("a", streams());
    const off = { rawTtyOnAttach: false, forwardResize: false };
    const supervisor = new Supervisor({ sandboxes, input, output, ...off });
    const listeners = process.listenerCount("SIGWINCH");
    supervisor.attach("a");
    expect(input.isRaw).toBe(false);
    expect(process.listenerCount("SIGWINCH")).toBe(listeners);
    supervisor.stop();
  });

  it("hands its size to the sandbox it is attached to", async () => {
    const { input, output } = tty();
    const sandboxes = new Sandboxes();
    const pty = bootPty({
      binary: "/bin/sh",
      args: ["-c", "trap 'stty size' WINCH; stty size; echo ready; while :; do sleep 0.05; done"],
    });
    ptys.push(pty);
    sandboxes.add("sh", pty);
    const seen = () => sandboxes.get("sh")!.scrollback.toString();
    await vi.waitFor(() => expect(seen()).toContain("24 80\r\nready"), 60_000);
    const listeners = process.listenerCount("SIGWINCH");
    const supervisor = new Supervisor({ sandboxes, input, output });
    supervisor.attach("sh");
    await vi.waitFor(() => expect(seen()).toContain("30 90"), 60_000);
    Object.assign(output, { columns: 70, rows: 20 });
    process.kill(process.pid, "SIGWINCH");
    await vi.waitFor(() => expect(seen()).toContain("20 70"), 60_000);
    supervisor.stop();
    expect(process.listenerCount("SIGWINCH")).toBe(listeners);
  });
});

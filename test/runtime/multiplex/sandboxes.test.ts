import { PassThrough } from "node:stream";
import { expect, it, vi } from "vitest";
import { ByteRing } from "../../../src/runtime/multiplex/byte-ring.ts";
import { Sandboxes } from "../../../src/runtime/multiplex/index.ts";

const streams = () => ({
  stdin: new PassThrough(),
  stdout: new PassThrough(),
  stderr: new PassThrough(),
});
const tick = () => new Promise((resolve) => setImmediate(resolve));

it("registers, lists, finds and forgets", () => {
  const sandboxes = new Sandboxes();
  const vm = streams();
  sandboxes.add("b", vm);
  sandboxes.add("a", streams());
  expect(sandboxes.list().map(({ id }) => id)).toEqual(["b", "a"]);
  expect(sandboxes.list()[0]!.addedAt).toBeGreaterThan(0);
  expect(sandboxes.get("b")).toMatchObject({ id: "b", vm, scrollback: Buffer.alloc(0) });
  expect(() => sandboxes.add("a", streams())).toThrow(
    expect.objectContaining({ code: "SANDBOX_ID_DUPLICATE" }),
  );
  sandboxes.remove("b");
  sandboxes.remove("b");
  expect(sandboxes.get("b")).toBeUndefined();
  expect(vm.stdout.listenerCount("data")).toBe(0);
  sandboxes.add("b", vm);
});

it("forgets a sandbox without ending it", async () => {
  const sandboxes = new Sandboxes();
  const vm = { ...streams(), kill: vi.fn() };
  sandboxes.add("a", vm);
  sandboxes.remove("a");
  await tick();
  expect(vm.kill).not.toHaveBeenCalled();
  expect([vm.stdin.writable, vm.stdout.readable, vm.stderr.readable]).toEqual([true, true, true]);
});

it("sends to the sandbox, and nowhere when there is none", () => {
  const sandboxes = new Sandboxes();
  const vm = streams();
  sandboxes.add("a", vm);
  expect(sandboxes.send("a", "text")).toBe(true);
  expect(sandboxes.send("a", Buffer.from("!"))).toBe(true);
  expect(String(vm.stdin.read())).toBe("text!");
  expect(sandboxes.send("b", "x")).toBe(false);
  vm.stdin.destroy(new Error("gone"));
  expect(sandboxes.send("a", "x")).toBe(false);
});

it("tells listeners what comes after they began, from which stream, until they stop", async () => {
  const sandboxes = new Sandboxes();
  const vm = streams();
  sandboxes.add("a", vm);
  vm.stdout.write("before");
  await tick();
  const heard: string[] = [];
  const stop = sandboxes.onOutput("a", (chunk, source) => heard.push(`${source}:${chunk}`));
  vm.stdout.write("one");
  vm.stderr.write("two");
  await tick();
  stop();
  stop();
  vm.stdout.write("after");
  await tick();
  expect(heard).toEqual(["stdout:one", "stderr:two"]);
  expect(sandboxes.get("a")!.scrollback.toString()).toBe("beforeonetwoafter");
  expect(() => sandboxes.onOutput("b", () => {})).toThrow(
    expect.objectContaining({ code: "SANDBOX_ID_UNKNOWN" }),
  );
});

it("reads a stream once when it serves as both outputs", async () => {
  const sandboxes = new Sandboxes();
  const stdout = new PassThrough();
  sandboxes.add("pty", { stdin: new PassThrough(), stdout, stderr: stdout });
  stdout.write("x");
  await tick();
  expect(sandboxes.get("pty")!.scrollback.toString()).toBe("x");
});

it("keeps the last bytes only", async () => {
  const sandboxes = new Sandboxes({ scrollbackBytes: 8 });
  const vm = streams();
  sandboxes.add("a", vm);
  vm.stdout.write("0123456789");
  vm.stdout.write("ab");
  await tick();
  expect(sandboxes.get("a")!.scrollback.toString()).toBe("456789ab");
});

it("keeps exactly the tail, whatever the sizes of the writes", () => {
  for (const capacity of [0, 1, 2, 7, 16]) {
    const ring = new ByteRing(capacity);
    let all = "";
    for (let step = 0; step < 200; step++) {
      const chunk = String.fromCharCode(97 + (step % 26)).repeat((step * 7) % 23);
      ring.write(Buffer.from(chunk));
      all += chunk;
      expect(ring.read().toString()).toBe(capacity === 0 ? "" : all.slice(-capacity));
    }
  }
});

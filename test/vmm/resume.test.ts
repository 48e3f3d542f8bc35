import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Machine, makeInitramfs, readLines, until } from "./machine.ts";
import { saveBooted, useMachines } from "./use-machines.ts";

const { scratch, keep } = useMachines();
let saved: string;
let count = 0;

const start = (env: Record<string, string> = {}) =>
  keep(Machine.template(scratch.path, saved, env));
const file = (text: string) => {
  const path = join(scratch.path, `resume-${count++}`);
  writeFileSync(path, text);
  return path;
};

beforeAll(async () => {
  saved = await saveBooted(scratch.path, makeInitramfs(scratch.path, { wait: true }), "true");
}, 60_000);

describe("RESUME", () => {
  it("gives a machine its name, command, clock and random numbers before anyone gets through", async () => {
    const config = { cmd: ["/bin/sh", "-c", "echo I am $(hostname) $WORD; sleep 1000"] };
    const text = JSON.stringify({
      hostname: "renamed",
      config: { ...config, env: { WORD: "here" } },
    });
    const [one, two] = [0, 1].map(() => start({ MACHINEN_RESUME: file(` ${text}\n`) }));
    const before = Date.now() / 1000;
    expect(await one!.run("hostname")).toBe("renamed\n");
    const clock = Number(await one!.run("date +%s"));
    expect(clock).toBeGreaterThanOrEqual(Math.floor(before) - 1);
    expect(clock).toBeLessThanOrEqual(Date.now() / 1000 + 1);
    await until("the command", () => one!.console.includes("I am renamed here"));
    const uuid = "cat /proc/sys/kernel/random/uuid";
    expect(await one!.run(uuid)).not.toBe(await two!.run(uuid));
    expect(await one!.control("status")).toMatchObject({ state: "running", linked: true });
  }, 60_000);

  it("is answered before `up` is, however early that was asked and whatever is asked behind it", async () => {
    const machine = start({ MACHINEN_RESUME: file('{"hostname":"up-now"}') });
    const [waiting, gone] = await Promise.all([
      machine.connect("control"),
      machine.connect("control"),
    ]);
    gone.write("up\n");
    gone.destroy();
    waiting.write("up\nstatus\n");
    const answers = await readLines(waiting, 2);
    expect(JSON.parse(answers[0]!)).toEqual({ ok: true });
    expect(JSON.parse(answers[1]!)).toMatchObject({ state: "running", linked: true });
    expect(await machine.run("hostname")).toBe("up-now\n");
    const again = await machine.connect("control");
    again.write("up\n");
    expect(await readLines(again, 1)).toEqual(['{"ok":true}']);
    for (const connection of [waiting, again]) connection.destroy();
  }, 60_000);

  it("has the time and the entropy of the VMM, whatever the file says", async () => {
    const machine = start({ MACHINEN_RESUME: file('{"time":[1,0],"entropy":"00"}') });
    expect(Number(await machine.run("date +%s"))).toBeGreaterThan(1_000_000);
  }, 60_000);

  it("that the guest refuses ends the VM with the guest's reason", async () => {
    const machine = start({ MACHINEN_RESUME: file('{"hostname":"not a name"}') });
    expect(await machine.ended).toEqual({ code: 4, signal: null });
    expect(machine.console).toMatch(/^RESUME_REFUSED: [^\n]+\n$/m);
  }, 60_000);

  it("carries a long configuration", async () => {
    const env = { LONG: "x".repeat(100_000) };
    const cmd = ["/bin/sh", "-c", "echo has $" + "{#LONG}; sleep 1000"];
    const machine = start({ MACHINEN_RESUME: file(JSON.stringify({ config: { cmd, env } })) });
    await until("the command", () => machine.console.includes("has 100000"));
  }, 60_000);

  it.each([
    ["[]", "a list"],
    ["", "nothing"],
    ["{", "half an object"],
    [`{"a":"${"x".repeat(300_000)}"}`, "too much"],
  ])("is refused when the file holds %s (%s)", async (text) => {
    const machine = start({ MACHINEN_RESUME: file(text) });
    expect(await machine.ended).toEqual({ code: 2, signal: null });
    expect(machine.console).toMatch(/^CONFIG_INVALID: MACHINEN_RESUME: [^\n]+\n$/);
  });
});

describe("a template", () => {
  it("shares the memory of a machine with the same key, and of no other", async () => {
    const one = start({ MACHINEN_TEMPLATE: "key" });
    await one.run("true");
    const base = { MACHINEN_BASE: `/nowhere,${one.path("control")}` };
    const shares = async (machine: Machine) => {
      await machine.run("true");
      const trace = await machine.control("base");
      expect(trace).toMatchObject({ ok: true });
      return trace.template;
    };
    expect(await shares(start({ ...base, MACHINEN_TEMPLATE: "key" }))).toBe("key");
    expect(await shares(start({ ...base, MACHINEN_TEMPLATE: "other" }))).toBe("other");
    expect(await shares(start(base))).toBe("");
    // A fork over the same base can give it on, too.
    const child = keep(one.fork(scratch.path));
    expect(await shares(child)).toBe("key");
  }, 60_000);

  it("with a file of another size is refused", async () => {
    const machine = keep(Machine.template(scratch.path, join(scratch.path, "nowhere")));
    expect(await machine.ended).toEqual({ code: 4, signal: null });
    expect(machine.console).toMatch(/^BUNDLE_IO: [^\n]+\n$/);
    const cut = join(scratch.path, "cut");
    const { cpSync, truncateSync } = await import("node:fs");
    cpSync(saved, cut, { recursive: true });
    truncateSync(join(cut, "memory.img"), 1 << 20);
    const other = keep(Machine.template(scratch.path, cut));
    expect(await other.ended).toEqual({ code: 4, signal: null });
    expect(other.console).toMatch(/^BUNDLE_CORRUPT: memory.img: [^\n]+\n$/);
  }, 60_000);
});

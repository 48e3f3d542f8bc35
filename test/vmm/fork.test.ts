import { beforeAll, describe, expect, it } from "vitest";
import { FrameReader, isAlive, Machine, makeInitramfs, readLines, until } from "./machine.ts";
import { useMachines } from "./use-machines.ts";

const { scratch, keep } = useMachines();
let initrd: string;

const fork = (machine: Machine) => keep(machine.fork(scratch.path));

beforeAll(() => {
  initrd = makeInitramfs(scratch.path);
});

/** One client of a shell session. */
async function attach(machine: Machine, command = "/bin/sh") {
  const connection = await machine.connect("exec");
  connection.write(`PTYSESSION 80 24 4 ${command.length}\nmain${command}`);
  let screen = "";
  let over = false;
  const reader = new FrameReader((kind, _line, payload) => {
    if (kind === "B" || kind === "O") screen += payload.toString();
  });
  connection.on("data", (chunk) => reader.push(chunk));
  connection.on("error", () => {});
  connection.on("close", () => (over = true));
  return {
    type: (text: string) => connection.write(`I ${Buffer.byteLength(text)}\n${text}`),
    shows: (text: string | RegExp) =>
      until(`${text} on the screen, which is: ${screen}`, () =>
        typeof text === "string" ? screen.includes(text) : text.test(screen),
      ),
    isOver: () => over,
    close: () => connection.destroy(),
  };
}

describe("fork", () => {
  it("carries processes and a live shell, at any depth, and shares nothing afterwards", async () => {
    const first = keep(Machine.boot(scratch.path, initrd));
    const shell = await attach(first);
    shell.type("secret=only$((40+2))inmemory; echo set-$?\n");
    await shell.shows("set-0");
    const [second, clock] = [fork(first), await first.run("cat /proc/uptime")];
    const copy = await attach(second);
    await copy.shows("set-0");
    copy.type("echo [$secret]; secret=changed; echo done-$?\n");
    await copy.shows("[only42inmemory]");
    await copy.shows("done-0");
    shell.type("echo parent-$secret\n");
    await shell.shows("parent-only42inmemory");
    expect(shell.isOver()).toBe(false);

    const third = fork(second);
    const grandchild = await attach(third);
    grandchild.type("echo {$secret}\n");
    await grandchild.shows("{changed}");
    const fourth = fork(third);
    expect(await fourth.run("ps | grep -c '[/]bin/sh'")).toMatch(/^[1-9]/);
    expect(Number((await fourth.run("cat /proc/uptime")).split(" ")[0])).toBeGreaterThan(
      Number(clock.split(" ")[0]) - 1,
    );
    expect(await second.control("status")).toMatchObject({ state: "running", linked: true });
  }, 120_000);

  it("works while the guest computes, floods a stream and writes memory", async () => {
    const first = keep(Machine.boot(scratch.path, initrd, { MACHINEN_CPUS: "2" }));
    await first.run(
      "(while :; do :; done) >/dev/null 2>&1 & (while :; do dd if=/dev/urandom of=/tmp/noise bs=64k count=100; done) >/dev/null 2>&1 & echo",
    );
    const connection = await first.connect("exec");
    connection.write("EXEC yes\n");
    let flowed = 0;
    connection.on("data", (chunk) => (flowed += chunk.length));
    await until("the flood", () => flowed > 1_000_000);
    for (let round = 0; round < 3; round++) {
      const child = fork(first);
      expect(await child.run(`echo round ${round}`)).toBe(`round ${round}\n`);
      const seen = flowed;
      await until("the flood to go on in the parent", () => flowed > seen + 100_000);
      await child.quit();
    }
    connection.destroy();
  }, 180_000);

  it("holds its parent for as long as it is asked to, and no longer than its requester lives", async () => {
    const first = keep(Machine.boot(scratch.path, initrd));
    await first.run("true");
    const held = await first.connect("control");
    held.write("capture hold\n");
    await new Promise((resolve) => held.once("data", resolve));
    expect(await first.control("status")).toMatchObject({ state: "paused" });
    expect(await first.control("capture")).toMatchObject({ ok: false, code: "CAPTURE_BUSY" });
    held.destroy();
    await until("it to run on", async () => (await first.control("status")).state === "running");
    expect(await first.run("echo on")).toBe("on\n");

    const released = await first.connect("control");
    released.write("capture hold\nrelease\n");
    const answers = await readLines(released, 2);
    released.destroy();
    expect(answers.map((line) => JSON.parse(line).ok)).toEqual([true, true]);
    expect(await first.control("status")).toMatchObject({ state: "running" });
  }, 60_000);

  it("refuses before the guest has come up, and the child says why", async () => {
    const first = keep(Machine.boot(scratch.path, initrd));
    expect(await first.control("capture")).toMatchObject({ ok: false, code: "VM_NOT_READY" });
    const early = fork(first);
    expect(await early.ended).toEqual({ code: 4, signal: null });
    expect(early.console).toMatch(/^VM_NOT_READY: [^\n]+\n$/);
  }, 60_000);

  it("leaves the parent running when the child is killed in the middle", async () => {
    const first = keep(Machine.boot(scratch.path, initrd));
    await first.run("true");
    for (const delay of [0, 20, 60, 150]) {
      const child = fork(first);
      await new Promise((resolve) => setTimeout(resolve, delay));
      child.process.kill("SIGKILL");
      await child.ended;
    }
    expect(await first.run("echo unharmed")).toBe("unharmed\n");
    const child = fork(first);
    expect(await child.run("echo fine")).toBe("fine\n");
    const { qemuPid } = await child.control("status");
    first.process.kill("SIGKILL");
    await first.ended;
    expect(await child.run("echo orphan")).toBe("orphan\n");
    expect(isAlive(qemuPid as number)).toBe(true);
  }, 120_000);
});

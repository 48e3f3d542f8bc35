import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Machine, makeInitramfs, readLines, until } from "./machine.ts";
import { useMachines } from "./use-machines.ts";

const { scratch, keep, quitAll } = useMachines();
let saved: string;
let filled: string;
let filledSum: string;

const start = (env: Record<string, string> = {}) =>
  keep(Machine.template(scratch.path, saved, env));
const fork = (machine: Machine, env: Record<string, string> = {}) =>
  keep(machine.fork(scratch.path, env));

/** The memfd that a machine's QEMU has its guest's RAM on. */
async function memoryInode(machine: Machine): Promise<string> {
  const { qemuPid } = await machine.control("status");
  const maps = readFileSync(`/proc/${qemuPid}/maps`, "utf8").split("\n");
  return maps.find((line) => line.includes("/memfd:machinen-ram"))!.split(/\s+/)[4]!;
}

const random = (megabytes: number, file: string) =>
  `dd if=/dev/urandom of=${file} bs=1M count=${megabytes} 2>/dev/null; md5sum < ${file}`;

beforeAll(async () => {
  const initrd = makeInitramfs(scratch.path);
  const machine = Machine.boot(scratch.path, initrd);
  try {
    await machine.run("mkdir -p /tmp");
    saved = machine.save(join(scratch.path, "saved"));
    filledSum = await machine.run(random(40, "/tmp/fill"));
    filled = machine.save(join(scratch.path, "filled"));
  } finally {
    await machine.quit();
  }
}, 120_000);

describe("forks over a shared base", () => {
  it("carry memory through five generations, all over the same base", async () => {
    let machine = start();
    const base = await memoryInode(machine);
    const sums: string[] = [];
    for (let generation = 0; generation < 5; generation++) {
      sums.push(await machine.run(random(2, `/tmp/of-${generation}`)));
      machine = fork(machine);
      expect(await machine.run("for f in /tmp/of-*; do md5sum < $f; done")).toBe(sums.join(""));
      expect(await memoryInode(machine)).toBe(base);
    }
  }, 120_000);

  it("keep apart what they write, whoever writes while the others read", async () => {
    const machine = start();
    const sum = await machine.run(random(24, "/tmp/shared"));
    const siblings = [fork(machine), fork(machine), fork(machine)];
    const everyone = [machine, ...siblings];
    await Promise.all(siblings.map((sibling) => sibling.run("true")));
    const own: string[] = await Promise.all(
      everyone.map(async (one, i) => {
        expect(await one.run("md5sum < /tmp/shared")).toBe(sum);
        return i % 2 === 0 ? await one.run(random(24, "/tmp/shared")) : sum;
      }),
    );
    expect(new Set(own).size).toBe(3);
    for (const [i, one] of everyone.entries()) {
      expect(await one.run("echo 3 > /proc/sys/vm/drop_caches; md5sum < /tmp/shared")).toBe(own[i]);
    }
  }, 120_000);

  it("lose nothing of the base when a relative gives memory back", async () => {
    const key = { MACHINEN_TEMPLATE: "filled" };
    const one = keep(Machine.template(scratch.path, filled, key));
    await one.run("true");
    const other = keep(
      Machine.template(scratch.path, filled, { ...key, MACHINEN_BASE: one.path("control") }),
    );
    const child = fork(one);
    await Promise.all([other.run("true"), child.run("true")]);
    expect(await memoryInode(other)).toBe(await memoryInode(one));
    expect(await memoryInode(child)).toBe(await memoryInode(one));
    // The guest reports what it frees, and its QEMU tries to punch that out of the memory of all.
    await one.run("rm /tmp/fill; echo 3 > /proc/sys/vm/drop_caches; sleep 3");
    expect(await other.run("md5sum < /tmp/fill")).toBe(filledSum);
    expect(await child.run("md5sum < /tmp/fill")).toBe(filledSum);
  }, 120_000);

  it("take a whole copy when too much is not in the base, and their own children share that", async () => {
    const machine = start();
    const sum = await machine.run(random(70, "/tmp/much"));
    expect(await machine.control("base")).toMatchObject({ ok: false, code: "DELTA_LARGE" });
    const child = fork(machine);
    expect(await child.run("md5sum < /tmp/much")).toBe(sum);
    expect(await memoryInode(child)).not.toBe(await memoryInode(machine));
    expect(await child.control("base")).toMatchObject({ ok: true, template: "" });
    const grandchild = fork(child);
    expect(await grandchild.run("md5sum < /tmp/much")).toBe(sum);
    expect(await memoryInode(grandchild)).toBe(await memoryInode(child));
  }, 120_000);

  it("of one group stop their source once, by delta and by whole copy", async () => {
    for (const megabytes of [0, 70]) {
      const trace = join(scratch.path, `trace-${megabytes}`);
      const pauses = () => readFileSync(trace, "utf8").match(/^pause \d+$/gm)?.length;
      const machine = start({ MACHINEN_TRACE: trace });
      await machine.run(
        `mkdir -p /tmp; echo same > /tmp/file; dd if=/dev/zero of=/tmp/size bs=1M count=${megabytes} 2>/dev/null; true`,
      );
      const group = { MACHINEN_FORK_GROUP: `g${megabytes}:3` };
      const children = [1, 2, 3].map(() => fork(machine, group));
      const seen = await Promise.all(children.map((child) => child.run("cat /tmp/file; sync")));
      expect(seen).toEqual(["same\n", "same\n", "same\n"]);
      expect(pauses()).toBe(1);
      // All have come, so the next one with this token starts from a moment of its own.
      expect(await fork(machine, group).run("echo late")).toBe("late\n");
      expect(pauses()).toBe(2);
      await quitAll();
    }
  }, 180_000);
});

describe("the control socket's base and delta", () => {
  const ask = (machine: Machine, request: string) => machine.control(request);

  it("refuses what makes no sense", async () => {
    const machine = start();
    await machine.run("true");
    for (const request of [
      "capture delta x",
      "capture delta x 0",
      "capture delta x 257",
      "capture delta x/y 2",
      `capture delta ${"x".repeat(65)} 2`,
      "capture delta x 2 3",
      "capture hold x 2",
      "capture nonsense",
      "base x",
    ]) {
      expect(await ask(machine, request)).toMatchObject({ ok: false, code: "BAD_REQUEST" });
    }
    expect(await ask(machine, "base")).toMatchObject({ ok: true, memoryMib: 256, template: "" });
    expect(await ask(machine, "capture delta")).toMatchObject({ ok: true, memoryMib: 256 });
    expect(await machine.run("echo on")).toBe("on\n");
  }, 60_000);

  it("gives every member of a group the same moment", async () => {
    const machine = start();
    await machine.run("true");
    const answers = await Promise.all([1, 2, 3].map(() => ask(machine, "capture delta token 3")));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    const next = await ask(machine, "capture delta token 2");
    expect(next.pauseUs).not.toBe(answers[0]!.pauseUs);
    expect(await ask(machine, "capture token 2")).toMatchObject({ ok: false, code: "GROUP_MIXED" });
  }, 60_000);
});

describe("a child that waits for the order to fork", () => {
  it("is the parent as it is at the order, under the name it is given", async () => {
    const machine = start();
    await machine.run("echo early > /tmp/when");
    const child = fork(machine, { MACHINEN_FORK_WAIT: "1" });
    await until("the child to be ready", () => child.stdout === "ready\n");
    await machine.run("echo late > /tmp/when");
    child.process.stdin!.write('{"hostname":"second"}\nsent to the console\n');
    expect(await child.run("cat /tmp/when; hostname")).toBe("late\nsecond\n");
    expect(await machine.run("hostname")).not.toBe("second\n");
  }, 60_000);

  it("waits also when it will need a whole copy", async () => {
    const machine = start();
    await machine.run(random(70, "/tmp/much"));
    const child = fork(machine, { MACHINEN_FORK_WAIT: "1" });
    await until("the child to be ready", () => child.stdout === "ready\n");
    child.process.stdin!.write("{}\n");
    expect(await child.run("echo here")).toBe("here\n");
  }, 60_000);

  it("ends with its owner and with its source, leaving nothing", async () => {
    const machine = start();
    await machine.run("true");
    const abandoned = fork(machine, { MACHINEN_FORK_WAIT: "1" });
    await until("the child to be ready", () => abandoned.stdout === "ready\n");
    abandoned.process.stdin!.end();
    expect(await abandoned.ended).toEqual({ code: 4, signal: null });
    expect(abandoned.console).toMatch(/^FORK_ABANDONED: [^\n]+\n$/);

    const orphan = fork(machine, { MACHINEN_FORK_WAIT: "1" });
    await until("the child to be ready", () => orphan.stdout === "ready\n");
    machine.process.kill("SIGKILL");
    expect(await orphan.ended).toEqual({ code: 4, signal: null });
    expect(orphan.console).toMatch(/^SOURCE_LOST: [^\n]+\n$/);
  }, 60_000);

  it("refuses an order that is no JSON object", async () => {
    const machine = start();
    await machine.run("true");
    const child = fork(machine, { MACHINEN_FORK_WAIT: "1" });
    await until("the child to be ready", () => child.stdout === "ready\n");
    child.process.stdin!.write("now\n");
    expect(await child.ended).toEqual({ code: 4, signal: null });
    expect(child.console).toMatch(/^CONFIG_INVALID: [^\n]+\n$/);
    expect(await machine.run("echo on")).toBe("on\n");
  }, 60_000);
});

it("a connection that asks twice gets two answers", async () => {
  const machine = start();
  await machine.run("true");
  const connection = await machine.connect("control");
  connection.write("base\ncapture delta\n");
  const lines = await readLines(connection, 2);
  connection.destroy();
  expect(lines.map((line) => JSON.parse(line).ok)).toEqual([true, true]);
}, 60_000);

import { spawn } from "node:child_process";
import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { isAlive, Machine, makeInitramfs, until } from "./machine.ts";
import { useMachines } from "./use-machines.ts";

const { scratch, keep } = useMachines();
let initrd: string;

beforeAll(() => {
  initrd = makeInitramfs(scratch.path);
});

describe("under pressure", () => {
  it("boots five times in a row while a core is busy", async () => {
    const busy = spawn("sh", ["-c", "while :; do :; done"], { stdio: "ignore" });
    try {
      for (let round = 0; round < 5; round++) {
        const machine = keep(Machine.boot(scratch.path, initrd));
        expect(await machine.run("echo up")).toBe("up\n");
        await machine.quit();
      }
    } finally {
      busy.kill("SIGKILL");
    }
  }, 180_000);

  it("forks four children at once", async () => {
    const machine = keep(Machine.boot(scratch.path, initrd));
    await machine.run("mkdir -p /tmp; echo same > /tmp/file");
    const children = [1, 2, 3, 4].map(() => keep(machine.fork(scratch.path)));
    const answers = await Promise.all(
      children.map((child, i) =>
        child.run(`cat /tmp/file; echo ${i} > /tmp/file; sleep 1; cat /tmp/file`),
      ),
    );
    expect(answers).toEqual([0, 1, 2, 3].map((i) => `same\n${i}\n`));
    expect(await machine.run("cat /tmp/file")).toBe("same\n");
  }, 120_000);

  it("keeps forks whole while their relatives free and rewrite memory", async () => {
    const fill = "dd if=/dev/urandom of=/tmp/fill bs=1M count=40 2>/dev/null; md5sum /tmp/fill";
    const machine = keep(Machine.boot(scratch.path, initrd));
    const sum = await machine.run(`mkdir -p /tmp; ${fill}`);
    const one = keep(machine.fork(scratch.path));
    const two = keep(machine.fork(scratch.path));
    expect(await two.run("md5sum /tmp/fill")).toBe(sum);
    for (const relative of [machine, one]) {
      await relative.run(`rm /tmp/fill; sleep 3; ${fill}; rm /tmp/fill; sleep 3`);
    }
    expect(await two.run("md5sum /tmp/fill")).toBe(sum);
    const three = keep(two.fork(scratch.path));
    expect(await three.run("md5sum /tmp/fill")).toBe(sum);
    for (const child of [one, two, three]) expect(child.console).not.toContain("qemu:");
  }, 120_000);

  it("ends whole families killed in pairs", async () => {
    const machine = keep(Machine.boot(scratch.path, initrd));
    await machine.run("true");
    const child = keep(machine.fork(scratch.path));
    await child.run("true");
    const pids = await Promise.all(
      [machine, child].map(async (one) => (await one.control("status")).qemuPid as number),
    );
    process.kill(pids[0]!, "SIGKILL");
    machine.process.kill("SIGKILL");
    child.process.kill("SIGKILL");
    process.kill(pids[1]!, "SIGKILL");
    await Promise.all([machine.ended, child.ended]);
    await until("both QEMUs to end", () => !pids.some(isAlive));
  }, 60_000);

  it("boots from files that only their owner may read", async () => {
    const secret = join(scratch.path, "secret.cpio");
    copyFileSync(initrd, secret);
    chmodSync(secret, 0o600);
    const machine = keep(Machine.boot(scratch.path, secret));
    expect(await machine.run("echo up")).toBe("up\n");
  }, 60_000);
});

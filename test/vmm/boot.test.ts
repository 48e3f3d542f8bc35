import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { isAlive, Machine, makeInitramfs, readAll, until } from "./machine.ts";
import { useMachines } from "./use-machines.ts";

const { scratch, keep } = useMachines();
let initrd: string;

const boot = (env: Record<string, string> = {}) => keep(Machine.boot(scratch.path, initrd, env));

beforeAll(() => {
  initrd = makeInitramfs(scratch.path);
});

describe("one machine", () => {
  it("boots, answers, shows its console, and powers off with status 0, leaving nothing", async () => {
    const machine = boot();
    const first = await machine.control("status");
    expect(first).toMatchObject({
      ok: true,
      state: "booting",
      linked: false,
      accel: "tcg",
      memoryMib: 256,
    });
    expect(statSync(machine.path("exec")).mode & 0o777).toBe(0o600);
    expect(statSync(machine.path("stats")).size).toBe(24);
    expect(await machine.exec("echo out; echo err >&2; exit 7")).toEqual({
      code: 7,
      stdout: "out\n",
      stderr: "err\n",
    });
    const status = await machine.control("status");
    expect(status).toMatchObject({ state: "running", linked: true });

    await machine.run("echo written-to-console > /dev/console");
    await until("the console on standard error", () =>
      machine.console.includes("written-to-console"),
    );
    const connection = await machine.connect("control");
    connection.end("console\n");
    const answer = await readAll(connection);
    const end = answer.indexOf(10);
    expect(JSON.parse(answer.subarray(0, end).toString()).length).toBe(answer.length - end - 1);
    expect(answer.subarray(end + 1).toString()).toContain("written-to-console");

    const agent = await machine.connect("agent");
    agent.write("POWEROFF\n");
    agent.on("error", () => {});
    expect(await machine.ended).toEqual({ code: 0, signal: null });
    expect(existsSync(machine.runDir)).toBe(false);
    expect(isAlive(status.qemuPid as number)).toBe(false);
  }, 60_000);

  it("carries standard input to the console", async () => {
    const machine = boot();
    await machine.run("true");
    const reading = machine.run("head -n 1 < /dev/console");
    const typing = setInterval(() => machine.process.stdin!.write("typed by hand\n"), 200);
    expect((await reading).trim()).toBe("typed by hand");
    clearInterval(typing);
    machine.process.stdin!.end();
    expect(await machine.run("echo still here")).toBe("still here\n");
  }, 60_000);

  it("goes on when nobody reads its standard error any more", async () => {
    const machine = boot();
    await machine.run("true");
    machine.process.stderr!.destroy();
    await machine.run(
      "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done > /dev/console",
    );
    expect(await machine.run("echo still here")).toBe("still here\n");
  }, 60_000);

  it("gives QEMU no way back to root and none to new privileges", async () => {
    const machine = boot();
    const { qemuPid } = await machine.control("status");
    await machine.run("true");
    const status = readFileSync(`/proc/${qemuPid}/status`, "utf8");
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    const ids = /^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/m.exec(status)!.slice(1);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).not.toBe("0");
    expect(status).toMatch(/^CapEff:\t0+$/m);
  }, 60_000);

  it("returns memory that the guest frees, and says so", async () => {
    const machine = boot();
    await machine.run(
      "mkdir -p /fill && mount -t tmpfs -o size=150m t /fill && dd if=/dev/urandom of=/fill/f bs=1M count=100 2>/dev/null && rm /fill/f",
    );
    await until(
      "the balloon's report",
      // The guest reports whole free blocks of 2 MiB, when its processor has time for it.
      () => readFileSync(machine.path("stats")).readBigUInt64LE(0) > 20n * 1024n * 1024n,
      60_000,
    );
  }, 90_000);
});

describe("the end, in every order", () => {
  const start = async () => {
    const machine = boot();
    await machine.run("true");
    const { qemuPid } = await machine.control("status");
    return { machine, qemu: qemuPid as number };
  };

  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "%s to the VMM",
    async (signal) => {
      const { machine, qemu } = await start();
      machine.process.kill(signal);
      expect(await machine.ended).toEqual({ code: null, signal });
      expect(isAlive(qemu)).toBe(false);
      expect(existsSync(machine.runDir)).toBe(false);
    },
    60_000,
  );

  it("SIGKILL to the VMM takes QEMU with it", async () => {
    const { machine, qemu } = await start();
    machine.process.kill("SIGKILL");
    await machine.ended;
    await until("QEMU's end", () => !isAlive(qemu));
  }, 60_000);

  it("SIGKILL to QEMU ends the VMM with 137", async () => {
    const { machine, qemu } = await start();
    process.kill(qemu, "SIGKILL");
    expect(await machine.ended).toEqual({ code: 137, signal: null });
    expect(existsSync(machine.runDir)).toBe(false);
  }, 60_000);

  it("quit on the control socket", async () => {
    const { machine, qemu } = await start();
    expect(await machine.control("quit")).toEqual({ ok: true });
    expect(await machine.ended).toEqual({ code: 0, signal: null });
    expect(isAlive(qemu)).toBe(false);
  }, 60_000);

  it("SIGTERM while QEMU is still starting", async () => {
    for (const delay of [5, 20, 40, 80]) {
      const machine = boot();
      // From when the VMM itself answers for its signals: before that it has nothing to clean up.
      const blocked = () => readFileSync(`/proc/${machine.process.pid}/status`, "utf8");
      await until("its signals", () => /^SigBlk:\s+\w*[4-7c-f]\w{3}$/m.test(blocked()));
      await new Promise((resolve) => setTimeout(resolve, delay));
      machine.process.kill("SIGTERM");
      expect((await machine.ended).signal).toBe("SIGTERM");
      expect(existsSync(machine.runDir)).toBe(false);
    }
    const children = readdirSync("/proc").filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(scratch.path);
      } catch {
        return false;
      }
    });
    expect(children).toEqual([]);
  }, 60_000);
});

describe("hostile clients of the control socket", () => {
  it("survives nonsense, floods and clients that never read", async () => {
    const machine = boot();
    await machine.run("true");
    const garbage = await machine.connect("control");
    garbage.on("error", () => {});
    garbage.write(randomBytes(100_000));
    const idle = await Promise.all(Array.from({ length: 10 }, () => machine.connect("control")));
    const deaf = await machine.connect("control");
    deaf.pause();
    deaf.write("status\n".repeat(20_000));
    deaf.on("error", () => {});
    expect(await machine.control("nonsense")).toMatchObject({ ok: false, code: "BAD_REQUEST" });
    expect(await machine.control("release")).toMatchObject({ ok: false, code: "NOT_HELD" });
    expect(await machine.control("status")).toMatchObject({ ok: true });
    for (const connection of [...idle, garbage, deaf]) connection.destroy();
    expect(await machine.run("echo alive")).toBe("alive\n");
  }, 60_000);
});

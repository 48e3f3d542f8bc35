import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { isAlive, Machine, makeInitramfs, until, vmmBinary } from "./machine.ts";
import { saveBooted, useMachines } from "./use-machines.ts";

const { scratch, keep } = useMachines();
const fileMib = 24;
let saved: string;
let count = 0;

beforeAll(async () => {
  const prepare = `mkdir -p /tmp; cd /tmp; head -c ${fileMib << 20} /dev/urandom > file; sha256sum file > sum`;
  saved = await saveBooted(scratch.path, makeInitramfs(scratch.path), prepare);
}, 60_000);

/** A bundle of the test's own. */
function newBundle(): string {
  const directory = join(scratch.path, `bundle-${count++}`);
  execFileSync("cp", ["-r", "--sparse=always", saved, directory]);
  return directory;
}

const restore = (directory: string, env: Record<string, string> = {}) =>
  keep(
    new Machine(scratch.path, {
      MACHINEN_INCOMING: `bundle:${directory}`,
      MACHINEN_LAZY: "1",
      ...env,
    }),
  );

const memoryOf = (directory: string) => join(directory, "memory.img");
const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
const check = "cd /tmp && sha256sum -c sum";
const write = "head -c 4000000 /dev/urandom > /tmp/own && sha256sum /tmp/own";

interface Lazy {
  lazyPages: number;
  lazyPending: number;
  lazyReason: string;
  qemuPid: number;
}

const lazyOf = async (machine: Machine) => (await machine.control("status")) as unknown as Lazy;

/** KiB of guest memory that a QEMU holds on its own. */
function privateKib(qemu: number): number {
  const text = readFileSync(`/proc/${qemu}/smaps`, "utf8");
  const guest = text.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).filter((one) => /memory\.img/.test(one));
  expect(guest.length).toBeGreaterThan(0);
  return guest
    .flatMap((one) => [...one.matchAll(/^Anonymous: +(\d+) kB$/gm)])
    .reduce((sum, [, kib]) => sum + Number(kib), 0);
}

/** Whether a process has a file open. */
const hasOpen = (pid: number, path: string) =>
  readdirSync(`/proc/${pid}/fd`).some((fd) => {
    const info = statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false });
    return info?.ino === statSync(path).ino && info.dev === statSync(path).dev;
  });

/** Stops the VMM as soon as it has its lease, and lets it go on when somebody waits to write. */
async function writeMeanwhile(
  machine: Machine,
  file: string,
): Promise<{ written: Promise<number | null> }> {
  const leases = () =>
    readFileSync("/proc/locks", "utf8")
      .split("\n")
      .filter((line) => /LEASE/.test(line) && line.includes(`:${statSync(file).ino} `));
  await until("the lease", () => leases().length > 0);
  machine.process.kill("SIGSTOP");
  const script = "dd if=/dev/urandom of=$0 bs=1M count=20 conv=notrunc 2>/dev/null";
  const writer = spawn("sh", ["-c", script, file]);
  const written = new Promise<number | null>((resolve) => writer.on("close", resolve));
  await until("the writer", () => leases().some((line) => /BREAKING/.test(line)));
  machine.process.kill("SIGCONT");
  return { written };
}

/** What has opened this file for writing gets it within the time the kernel gives those who read it. */
const canWrite = (path: string) => closeSync(openSync(path, "r+"));

describe("memory that is mapped from its bundle", () => {
  it("comes as it is needed, is shared by all that read it, and is never written to", async () => {
    const bundle = newBundle();
    const before = digest(memoryOf(bundle));
    const [one, two] = [restore(bundle), restore(bundle)];
    await Promise.all([one.run("true"), two.run("true")]);
    const first = await lazyOf(one);
    expect(first).toMatchObject({ lazyReason: "" });
    expect(first.lazyPages * 4096).toBeGreaterThan(fileMib << 20);
    expect(first.lazyPending * 4096).toBeGreaterThan(fileMib << 19);
    expect(first.lazyPending).toBeLessThan(first.lazyPages);
    expect(await one.run(check)).toContain("OK");
    const read = await lazyOf(one);
    expect((first.lazyPending - read.lazyPending) * 4096).toBeGreaterThan(fileMib << 19);
    expect(privateKib(first.qemuPid)).toBeLessThan(fileMib << 10);

    const own = await one.run(write);
    await two.run("rm /tmp/file; echo 3 > /proc/sys/vm/drop_caches");
    expect(await one.run("sha256sum /tmp/own")).toBe(own);
    expect(await one.run(check)).toContain("OK");
    await Promise.all([one.quit(), two.quit()]);
    expect(digest(memoryOf(bundle))).toBe(before);
    canWrite(memoryOf(bundle));
  }, 120_000);

  it("becomes the machine's own before somebody changes the file", async () => {
    const bundle = newBundle();
    const [machine, other] = [restore(bundle), restore(bundle)];
    const own = await machine.run(write);
    await other.run("true");
    truncateSync(memoryOf(bundle), 1 << 20);
    for (const one of [machine, other]) {
      expect(await one.run(check)).toContain("OK");
      expect(await lazyOf(one)).toMatchObject({ lazyPending: 0 });
    }
    expect(await machine.run("sha256sum /tmp/own")).toBe(own);
    const fork = keep(machine.fork(scratch.path));
    expect(await fork.run(`${check}; sha256sum own`)).toBe(`file: OK\n${own.replace("/tmp/", "")}`);
  }, 120_000);

  it("becomes its own when somebody comes to write before it runs", async () => {
    const bundle = newBundle();
    const machine = restore(bundle);
    const { written } = await writeMeanwhile(machine, memoryOf(bundle));
    expect(await machine.run(check)).toContain("OK");
    expect(await written).toBe(0);
    expect(await lazyOf(machine)).toMatchObject({ lazyPending: 0 });
  }, 120_000);

  it("that was changed all the same ends the machine", async () => {
    const bundle = newBundle();
    const machine = restore(bundle);
    await machine.run("true");
    utimesSync(memoryOf(bundle), 1, 1);
    machine.save(join(scratch.path, `bundle-${count++}`));
    truncateSync(memoryOf(bundle), 0);
    expect(await machine.ended).toEqual({ code: 4, signal: null });
    expect(machine.console).toContain(
      "about to be changed: the bundle's memory.img has been changed\n",
    );
  }, 120_000);

  it("becomes its own while the machine is held, too", async () => {
    const bundle = newBundle();
    const machine = restore(bundle);
    await machine.run("true");
    const second = join(scratch.path, `bundle-${count++}`);
    const saving = spawn(vmmBinary, ["save", machine.path("control"), second, "hold"]);
    await new Promise<void>((resolve) => saving.stdout.once("data", () => resolve()));
    truncateSync(memoryOf(bundle), 0);
    expect(await machine.control("status")).toMatchObject({ state: "paused", lazyPending: 0 });
    saving.stdin.end("release\n");
    await until("running", async () => (await machine.control("status")).state === "running");
    expect(await machine.run(check)).toContain("OK");
    expect(await restore(second).run(check)).toContain("OK");
  }, 120_000);

  it("is there when the bundle is removed", async () => {
    const bundle = newBundle();
    const machine = restore(bundle);
    await machine.run("true");
    rmSync(bundle, { recursive: true });
    expect(await machine.run(check)).toContain("OK");
  }, 120_000);

  it("is settled by a fork, which like every one after it shares it", async () => {
    const bundle = newBundle();
    const machine = restore(bundle);
    const own = await machine.run(write);
    const fork = keep(machine.fork(scratch.path));
    expect(await fork.run(check)).toContain("OK");
    const { qemuPid, lazyPending } = await lazyOf(machine);
    expect(lazyPending).toBe(0);
    await until("QEMU to close the bundle's file", () => !hasOpen(qemuPid, memoryOf(bundle)));
    canWrite(memoryOf(bundle));
    await fork.run("echo changed > /tmp/own");
    expect(await machine.run("sha256sum /tmp/own")).toBe(own);
    const base = (await machine.control("base")) as unknown as { ok: boolean };
    expect(base.ok).toBe(true);
    const grandchild = keep(fork.fork(scratch.path));
    expect(await grandchild.run(`cat /tmp/own; ${check}`)).toBe("changed\nfile: OK\n");
  }, 120_000);

  it("goes into a snapshot like any other", async () => {
    const machine = restore(newBundle());
    const own = await machine.run(write);
    const again = join(scratch.path, `bundle-${count++}`);
    machine.save(again);
    expect(await lazyOf(machine)).not.toMatchObject({ lazyPending: 0 });
    await machine.quit();
    expect(await restore(again).run(`sha256sum /tmp/own; ${check}`)).toBe(`${own}file: OK\n`);
  }, 120_000);
});

describe("a bundle that cannot be mapped", () => {
  it("is copied when somebody has it open for writing", async () => {
    const bundle = newBundle();
    const writer = openSync(memoryOf(bundle), "r+");
    const machine = restore(bundle);
    expect(await machine.run("echo on")).toBe("on\n");
    expect(await lazyOf(machine)).toMatchObject({
      lazyPages: 0,
      lazyPending: 0,
      lazyReason: "something has the bundle's memory open for writing",
    });
    writeSync(writer, Buffer.alloc(1 << 20, 0xff));
    closeSync(writer);
    expect(await machine.run(check)).toContain("OK");
  }, 120_000);

  it("is copied for a machine with a memory limit", async () => {
    const machine = restore(newBundle(), { MACHINEN_MEMORY_LIMIT: "200" });
    await machine.run("true");
    expect(await lazyOf(machine)).toMatchObject({
      lazyPages: 0,
      lazyReason: expect.stringMatching(/memory limit/),
    });
  }, 120_000);

  it("is refused when it is damaged, and no lease stays", async () => {
    const bundle = newBundle();
    const file = openSync(memoryOf(bundle), "r+");
    const at = readFileSync(memoryOf(bundle)).findIndex((byte) => byte !== 0);
    writeSync(file, Buffer.from([0]), 0, 1, at);
    closeSync(file);
    const machine = restore(bundle);
    expect(await machine.ended).toEqual({ code: 4, signal: null });
    expect(machine.console).toBe("BUNDLE_CORRUPT: memory.img: its checksum is wrong\n");
    canWrite(memoryOf(bundle));
  }, 120_000);
});

describe("a machine that dies", () => {
  const steps = ["resume_mapped", "settle_stopped", "settle_copied", "settle_mapped"];
  it("at any step leaves the bundle as it was, and nothing of itself", async () => {
    const bundle = newBundle();
    const before = digest(memoryOf(bundle));
    for (const fault of [...steps, ...steps.map((step) => `qemu:${step}`)]) {
      const machine = restore(bundle, { MACHINEN_FAULT: fault });
      let qemu: number | undefined;
      if (!fault.endsWith("resume_mapped")) {
        await machine.run("true");
        qemu = (await lazyOf(machine)).qemuPid;
        await machine.control("base").catch(() => {});
      }
      const { signal } = await machine.ended;
      expect([fault, signal]).toEqual([fault, fault.startsWith("qemu:") ? null : "SIGKILL"]);
      if (qemu) await until("its QEMU to end", () => !isAlive(qemu));
      if (signal === null) expect(existsSync(machine.runDir)).toBe(false);
      canWrite(memoryOf(bundle));
    }
    expect(digest(memoryOf(bundle))).toBe(before);
  }, 300_000);
});

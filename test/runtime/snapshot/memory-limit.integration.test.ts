import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createLocalHost } from "../../../src/runtime/host/local-host.ts";
import type { LogEvent } from "../../../src/runtime/log.ts";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import { childrenOf } from "../../../src/runtime/machine/process-identity.ts";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { readBalloonStats } from "../../../src/runtime/memory/index.ts";
import { packageRoot } from "../../../src/runtime/package-root.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
import { restore } from "../../../src/runtime/snapshot/restore.ts";
import { bases } from "../machine/bases.ts";
import { rejection, useScratch } from "../machine/scratch.ts";

const scratch = useScratch();
afterAll(() => scratch.remove());

const MIB = 1024 * 1024;
const MEMORY = 256;

describe.each(bases)("memory given to a fork or restore on the $name base", ({ options }) => {
  let vm: Machine;
  const machines: Machine[] = [];

  beforeAll(async () => {
    vm = await boot({ ...options, memory: MEMORY, name: "whole" });
  });
  afterEach(async () => {
    for (const machine of machines.splice(0)) await machine.kill();
  });
  afterAll(() => vm.kill());

  const keep = (machine: Machine): Machine => {
    machines.push(machine);
    return machine;
  };
  const ceiling = async (machine: Machine) => (await machine.memoryStats()).ceilingMib;
  /** A guest that was held up for long when its limit was set is looked at again a little later. */
  const toHave = (machine: Machine, mib: number) =>
    expect.poll(() => ceiling(machine), { timeout: 60_000, interval: 200 }).toBe(mib);
  /** What the guest's kernel says it has. */
  const total = async (machine: Machine) =>
    Number(
      (await machine.exec("sed -n 's/MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")).stdout,
    );

  test("less than the source's is all the copy gets, also in its own copies and for others", async () => {
    const all = await total(vm);
    await vm.exec("echo kept > /tmp/file");
    const fork = keep(await vm.fork({ memory: 128, name: "small" }));
    await toHave(fork, 128);
    expect(await total(fork)).toBe(all - 128 * 1024);
    expect((await fork.exec("cat /tmp/file; hostname")).stdout).toBe("kept\nsmall\n");
    expect(await ceiling(await attach({ name: "small" }))).toBe(128);
    expect(readEntry(fork.pid)!.memorySizeMib).toBe(MEMORY);
    expect(readBalloonStats(readEntry(fork.pid)!.statsPath!)!.bytesInflated).toBe(128 * MIB);
    const host = createLocalHost();
    const shown = Object.fromEntries(
      (await host.list()).map((info) => [info.name, info.memoryMib]),
    );
    expect(shown).toEqual({ whole: MEMORY, small: 128 });
    expect([await ceiling(vm), await total(vm)]).toEqual([MEMORY, all]);

    const snapDir = join(scratch.path, `${options.image}-small`);
    await fork.snapshot({ outDir: snapDir, leaveRunning: true });
    const grandchild = keep(await fork.fork());
    const restored = keep(await restore({ snapDir }));
    for (const copy of [grandchild, restored]) {
      expect(await ceiling(copy)).toBe(128);
      expect(await total(copy)).toBe(all - 128 * 1024);
    }
    const larger = keep(await fork.fork({ memory: 192 }));
    await toHave(larger, 192);
    expect(await total(larger)).toBe(all - 64 * 1024);
  });

  test("every one of several forks, a restore, and a fork that leaves a bundle", async () => {
    const forks = await vm.forkMany(2, { memory: 128 });
    forks.forEach(keep);
    const outDir = join(scratch.path, `${options.image}-whole`);
    machines.push(await vm.fork({ memory: 128, outDir }));
    machines.push(await restore({ snapDir: outDir, memory: 160 }));
    for (const [i, machine] of machines.entries()) await toHave(machine, i === 3 ? 160 : 128);
    // The bundle is of the source.
    expect(await ceiling(keep(await restore({ snapDir: outDir })))).toBe(MEMORY);
    await Promise.all(machines.map((machine) => machine.exec("true")));
  });

  test("a prepared fork waits on for one that may take it", async () => {
    await vm.prepareFork();
    const [prepared] = childrenOf(process.pid).filter(({ pid }) => readEntry(pid) === undefined);
    const small = keep(await vm.fork({ memory: 128 }));
    const same = keep(await vm.fork({ memory: MEMORY }));
    await toHave(small, 128);
    await toHave(same, MEMORY);
    expect(same.pid).toBe(prepared!.pid);
  });

  test("more than the source's is accepted, changes nothing, and is said", async () => {
    const said: string[] = [];
    const onLog = (event: LogEvent) => {
      if (event.source === "guest-console") said.push(event.chunk.toString());
    };
    const fork = keep(await vm.fork({ memory: 1024, onLog }));
    expect(await ceiling(fork)).toBe(MEMORY);
    expect(await total(fork)).toBe(await total(vm));
    expect(said.join("")).toContain(
      "machinen: memory 1024: the machine goes on with the 256 MiB of its source\n",
    );
  });

  test("what its programs use is not taken: it has more then, and that is said", async () => {
    await vm.exec(
      "head -c 1000000 /dev/urandom > /dev/shm/one; for i in $(seq 80); do cat /dev/shm/one; done > /dev/shm/used",
    );
    const sum = (await vm.exec("md5sum /dev/shm/used")).stdout;
    const said: string[] = [];
    const onLog = (event: LogEvent) => {
      if (event.source === "guest-console") said.push(event.chunk.toString());
    };
    const fork = keep(await vm.fork({ memory: 128, onLog }));
    await vm.exec("rm /dev/shm/used /dev/shm/one");
    expect((await fork.exec("md5sum /dev/shm/used")).stdout).toBe(sum);
    const has = readEntry(fork.pid)!.memoryCeilingMib!;
    expect(has).toBeGreaterThan(128);
    expect(said.join("")).toMatch(`machinen: memory 128: the machine `);
    expect(said.join("")).toContain(` has ${has} MiB `);
    await expect.poll(() => ceiling(fork), { timeout: 60_000 }).toBeLessThan(MEMORY);
    expect(await ceiling(fork)).toBeGreaterThan(128);
    await fork.exec("rm /dev/shm/used");
    await toHave(fork, 128);
  });

  test("by the commands: a flag, the list, and a word when it is not what was asked for", async () => {
    const machinen = async (...args: string[]) =>
      promisify(execFile)(join(packageRoot(), "bin/machinen"), args);
    await machinen("fork", "whole", "--memory", "128", "--name", "small");
    machines.push(await attach({ name: "small" }));
    await toHave(machines[0]!, 128);
    expect((await machinen("ls")).stdout).toMatch(/^small .* of 128 MiB /m);
    const { stderr } = await machinen("fork", "whole", "-m", "1024", "--name", "large");
    machines.push(await attach({ name: "large" }));
    expect(stderr).toContain("large has 256 MiB of memory, not 1024: as its source\n");
    const refusal = await rejection(machinen("fork", "whole", "--memory", "1"));
    expect(refusal).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("BOOT_MEMORY_INVALID"),
    });
  });

  test("what is no size of a machine is refused, and nothing is started", async () => {
    const before = list().length;
    for (const memory of [0, -1, 63, 128.5, Number.NaN, 2 ** 23]) {
      for (const fork of [() => vm.fork({ memory }), () => vm.forkMany(2, { memory })])
        expect((await rejection(fork())).code).toBe("BOOT_MEMORY_INVALID");
    }
    expect(list().length).toBe(before);
  });
});

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import { collectGarbage } from "../../../src/runtime/machine/gc.ts";
import {
  childrenOf,
  identify,
  isRunning,
  waitUntilGone,
} from "../../../src/runtime/machine/process-identity.ts";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { readHostMemory } from "../../../src/runtime/memory/index.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
import { bases } from "../machine/bases.ts";
import { runInOtherProcess } from "../machine/other-process.ts";
import { rejection, useScratch } from "../machine/scratch.ts";

const scratch = useScratch();
const trace = join(scratch.path, "trace");
/** VMMs this process has started and that run. */
const ourVmms = (): number[] =>
  childrenOf(process.pid)
    .filter(({ pid }) => readFileSync(`/proc/${pid}/comm`, "utf8") === "machinen-vmm\n")
    .map(({ pid }) => pid);
const waiting = (): number[] => ourVmms().filter((pid) => readEntry(pid) === undefined);

afterAll(() => scratch.remove());

describe.each(bases)("forks of a real machine of the $name base", ({ name, options }) => {
  let vm: Machine;
  let forks: Machine[] = [];

  beforeAll(async () => {
    process.env.MACHINEN_TRACE = trace;
    vm = await boot({ ...options, name: "base" });
    delete process.env.MACHINEN_TRACE;
  });
  afterEach(async () => {
    for (const fork of forks.splice(0)) await fork.kill();
  });
  afterAll(async () => {
    for (const { pid } of list()) await (await attach({ pid })).kill();
    expect(scratch.runDirs()).toEqual([]);
  });

  test("several of one moment: the source is stopped once, each has its own name and numbers", async () => {
    await vm.exec("echo shared > /tmp/file");
    const pauses = () => readFileSync(trace, "utf8").match(/^pause /gm)?.length ?? 0;
    const before = pauses();
    forks = await vm.forkMany(4, { detached: true });
    expect(pauses() - before).toBe(1);
    expect(forks.map((fork) => fork.name)).toEqual(forks.map((fork) => `base/${fork.pid}`));
    const seen = await Promise.all(
      forks.map(
        async (fork) =>
          (await fork.exec("cat /tmp/file; hostname; head -c 8 /dev/urandom | od -tx1")).stdout,
      ),
    );
    for (const [i, fork] of forks.entries()) {
      expect(seen[i]).toContain(`shared\nbase-${fork.pid}\n`);
      expect(readEntry(fork.pid)).toMatchObject({
        parentPid: vm.pid,
        hostname: `base-${fork.pid}`,
      });
    }
    expect(new Set(seen.map((text) => text.split("\n")[2])).size).toBe(4);
    await forks[0]!.exec("echo mine > /tmp/file");
    for (const other of [vm, forks[1]!]) {
      expect((await other.exec("cat /tmp/file")).stdout).toBe("shared\n");
    }
  });

  test("with names of the caller's; all or none", async () => {
    forks = await vm.forkMany(2, { names: ["left", "right"] });
    expect((await forks[1]!.exec("hostname")).stdout).toBe("right\n");
    const error = await rejection(vm.forkMany(3, { names: ["up", "left", "down"] }));
    expect(error.code).toBe("REGISTRY_NAME_IN_USE");
    expect(list().map(({ name }) => name)).toEqual(["base", "left", "right"]);
    for (const [count, names] of [[0], [65], [1.5], [2, ["same", "same"]], [2, ["one"]]] as const) {
      const refusal = await rejection(vm.forkMany(count, { names: names && [...names] }));
      expect(refusal.code).toBe("PARSE_FLAG_MALFORMED");
    }
  });

  test("a prepared fork is in no list, is of the moment it is asked for, and is replaced", async () => {
    await vm.prepareFork();
    await vm.prepareFork();
    const [prepared, ...others] = waiting();
    expect(others).toEqual([]);
    expect(list().length).toBe(1);
    await vm.exec("echo late > /tmp/file");
    const fork = await vm.fork({ name: "quick" });
    forks.push(fork);
    expect(fork.pid).toBe(prepared);
    expect((await fork.exec("cat /tmp/file; hostname")).stdout).toBe("late\nquick\n");
    expect(readEntry(fork.pid)).toMatchObject({ parentPid: vm.pid, name: "quick" });
    await expect.poll(waiting, { timeout: 60_000 }).toHaveLength(1);
    const again = await vm.fork();
    forks.push(again);
    expect((await again.exec("cat /tmp/file; hostname")).stdout).toBe(`late\nbase-${again.pid}\n`);
  });

  test("a prepared fork that died is no loss", async () => {
    await vm.prepareFork();
    const [prepared] = waiting();
    process.kill(prepared!, "SIGSTOP");
    process.kill(prepared!, "SIGKILL");
    const fork = await vm.fork();
    forks.push(fork);
    expect(fork.pid).not.toBe(prepared);
    await fork.exec("true");
  });

  test("at most two wait in a process, and none for a machine that has ended", async () => {
    forks = await vm.forkMany(2);
    await Promise.all([...forks, vm].map((machine) => machine.prepareFork().catch(() => {})));
    await expect.poll(waiting, { timeout: 60_000 }).toHaveLength(2);
    for (const fork of forks.splice(0)) await fork.kill();
    await expect.poll(() => waiting().length, { timeout: 60_000 }).toBeLessThan(2);
  });

  test("when a machine has been killed, nothing is left of what was prepared for it", async () => {
    const fork = await vm.fork();
    const { controlPath } = readEntry(fork.pid)!;
    const environment = (pid: number) => readFileSync(`/proc/${pid}/environ`, "latin1");
    await fork.prepareFork();
    const prepared = waiting().filter((pid) => environment(pid).includes(`fork:${controlPath}`));
    expect(prepared).toHaveLength(1);
    const runDir = /MACHINEN_RUN_DIR=([^\0]+)/.exec(environment(prepared[0]!))![1];
    expect(scratch.runDirs()).toContain(runDir);
    process.kill(prepared[0]!, "SIGSTOP");
    await fork.kill();
    expect(waiting()).not.toContain(prepared[0]);
    expect(scratch.runDirs()).not.toContain(runDir);
  });

  test("prepared ones end with a process that is killed, as do restored ones; forks live on", async () => {
    const { snapDir } = await vm.snapshot({
      outDir: join(scratch.path, name),
      leaveRunning: true,
    });
    const other = await runInOtherProcess(
      `import { attach } from "./machine/attach.ts";
       import { restore } from "./snapshot/restore.ts";
       const vm = await attach({ name: "base" });
       await vm.prepareFork();
       await vm.fork({ name: "survivor" });
       // Not of those prepared.
       await vm.fork({ name: "other", vmmEnv: {} });
       await restore({ snapDir: ${JSON.stringify(snapDir)}, name: "restored" });
       await vm.prepareFork();
       console.log("ready");
       setInterval(() => {}, 1000);`,
    );
    const survivors = await Promise.all(["survivor", "other"].map((name) => attach({ name })));
    forks.push(...survivors);
    const pids = survivors.map(({ pid }) => pid);
    const theirs = childrenOf(other.process.pid!).filter(({ pid }) => !pids.includes(pid));
    // One that is prepared, and the restored one.
    expect(theirs.length).toBe(2);
    other.process.kill("SIGKILL");
    await once(other.process, "exit");
    expect(await waitUntilGone(theirs, 60_000)).toBe(true);
    for (const survivor of survivors) {
      expect((await survivor.exec("hostname")).stdout).toBe(`${survivor.name}\n`);
      expect(isRunning(identify(survivor.pid)!)).toBe(true);
    }
    collectGarbage();
  });

  test("memory that machines share is counted once between them", async () => {
    const alone = readHostMemory(vm.pid)!;
    forks = await vm.forkMany(3);
    const four = [vm, ...forks].map(({ pid }) => readHostMemory(pid)!);
    const shared = four.map(({ sharedBytes }) => sharedBytes).reduce((a, b) => a + b);
    // Four machines on one base: together about what one has of it, not four times that.
    expect(shared).toBeLessThan(2 * (alone.privateBytes + alone.sharedBytes));
    for (const { pid } of forks) {
      const { hostRssBytes } = await (await attach({ pid })).memoryStats();
      const { privateBytes, sharedBytes } = readHostMemory(pid)!;
      expect(Math.abs(hostRssBytes! / (privateBytes + sharedBytes) - 1)).toBeLessThan(0.2);
    }
  });
});

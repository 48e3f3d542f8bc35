import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LogEvent } from "../../../src/runtime/log.ts";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { VmHandle } from "../../../src/runtime/machine/vm-handle.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
import { restore } from "../../../src/runtime/snapshot/restore.ts";
import { bases } from "../machine/bases.ts";
import { expectRightTime } from "../machine/guest-questions.ts";
import { rejection, useScratch } from "../machine/scratch.ts";
import { typeLine } from "../machine/type-line.ts";

const scratch = useScratch();

afterAll(async () => {
  for (const { pid } of list()) await (await attach({ pid })).kill();
  const left = scratch.runDirs();
  scratch.remove();
  expect(left).toEqual([]);
});

describe.each(bases)("copies of a machine of the $name base", ({ name: base, options }) => {
  let vm: VmHandle;
  const bundle = (name: string) => join(scratch.path, `${base}-${name}`);

  beforeAll(async () => {
    vm = await boot({ ...options, env: { GREETING: "hello" }, name: "base", detached: true });
  });
  afterAll(async () => vm?.kill());

  test("a fork carries the memory: a shell variable of a session, processes, files", async () => {
    await typeLine(vm, "X=carried; echo set=$X", "set=carried");
    const started = "until pidof sleep >/dev/null; do :; done";
    await vm.exec(`echo before > /tmp/file; setsid sleep 12345 >/dev/null 2>&1 & ${started}`);
    const fork = await vm.fork({ detached: true });
    expect(fork.name).toBe(`base/${fork.pid}`);
    expect(readEntry(fork.pid)).toMatchObject({ parentPid: vm.pid, parentName: "base" });
    await typeLine(fork, "echo got=$X", "got=carried");
    expect((await fork.exec("cat /tmp/file; pidof sleep | wc -w")).stdout).toBe("before\n1\n");
    await fork.exec("echo fork > /tmp/file");
    await vm.exec("grep -q before /tmp/file");

    const grandchild = await fork.fork({ detached: true, name: "grandchild" });
    await typeLine(grandchild, "echo got=$X", "got=carried");
    expect((await grandchild.exec("cat /tmp/file; hostname")).stdout).toBe("fork\ngrandchild\n");
    expect(list().map((entry) => entry.pid)).toEqual([vm.pid, fork.pid, grandchild.pid]);
    await fork.kill();
    await grandchild.exec("true");
    await grandchild.kill();
  });

  test("a fork or restored machine has an environment and directory of its own for what it is told to run", async () => {
    const own = { env: { GREETING: "servus", MORE: "more" }, guestCwd: "/etc", detached: true };
    const say = 'echo "$GREETING|$MORE|$PWD"';
    const outDir = bundle("own-words");
    const forks = [await vm.fork(own), await vm.fork({ ...own, outDir })];
    for (const fork of forks) expect((await fork.exec(say)).stdout).toBe("servus|more|/etc\n");
    const heir = await forks[0]!.fork({ env: { MORE: "less" }, detached: true });
    expect((await heir.exec(say)).stdout).toBe("servus|less|/etc\n");
    await Promise.all([heir, ...forks].map((machine) => machine.kill()));
    expect((await vm.exec(say)).stdout).toBe("hello||/root\n");
  });

  test("a fork has its own random numbers and the right time", async () => {
    const forks = await Promise.all([vm.fork({ detached: true }), vm.fork({ detached: true })]);
    const random = await Promise.all(
      [vm, ...forks].map(async (m) => (await m.exec("head -c 16 /dev/urandom | od -tx1")).stdout),
    );
    expect(new Set(random).size).toBe(3);
    for (const fork of forks) {
      await expectRightTime(fork);
      await fork.kill();
    }
  });

  test("a fork under a taken name is refused and starts nothing", async () => {
    expect((await rejection(vm.fork({ name: "base" }))).code).toBe("REGISTRY_NAME_IN_USE");
    expect(list().length).toBe(1);
    expect(scratch.runDirs().length).toBe(1);
  });

  test("a fork for which the host has no memory is refused", async () => {
    const error = await rejection(vm.fork({ freeMemoryThreshold: 1 }));
    expect(error.code).toBe("FORK_MEMORY_BACKPRESSURE");
  });

  test("a snapshot is restored with its memory, and again", async () => {
    await vm.exec("echo kept > /tmp/kept");
    const told: string[] = [];
    const onLog = (event: LogEvent) => {
      if (event.source === "phase") told.push(event.kind, ...event.phases.keys());
    };
    const { snapDir } = await vm.snapshot({
      outDir: bundle("first"),
      leaveRunning: true,
      onLog,
    });
    await vm.exec("echo later > /tmp/kept");
    const restored = await restore({ snapDir, detached: true, memory: options.memory, onLog });
    expect(told).toEqual([
      ...["snapshot", "up", "save", "publish", "end"],
      ...["restore", "spawn", "agent"],
    ]);
    expect(restored.name).toBe(`base/${restored.pid}`);
    expect(readEntry(restored.pid)?.forkedFrom).toBe(snapDir);
    expect((await restored.exec("cat /tmp/kept")).stdout).toBe("kept\n");
    await typeLine(restored, "echo got=$X", "got=carried");

    const again = await restored.snapshot({ outDir: bundle("again") });
    const ended = await rejection(attach({ pid: restored.pid }));
    expect(ended.code).toBe("REGISTRY_VM_NOT_FOUND");
    const second = await restore({ snapDir: again.snapDir, name: "second" });
    expect((await second.exec("cat /tmp/kept; hostname")).stdout).toBe("kept\nsecond\n");
    await second.kill();
  });

  test("a fork that keeps its bundle", async () => {
    const outDir = bundle("kept-fork");
    const told: string[] = [];
    const onLog = (event: LogEvent) => {
      if (event.source === "phase") told.push(event.kind);
      else if (event.cmd !== undefined) told.push(`${event.source} ${event.cmd}`);
    };
    const fork = await vm.fork({ outDir, detached: true, onLog });
    expect(told).toEqual(["snapshot", "restore"]);
    expect(readEntry(fork.pid)).toMatchObject({ parentPid: vm.pid, forkedFrom: outDir });
    expect(readdirSync(outDir).sort()).toEqual(["img", "meta.json"]);
    await fork.exec("echo heard");
    expect(told.at(-1)).toBe("exec-stdout echo heard");
    await fork.kill();
    expect(readdirSync(outDir).sort()).toEqual(["img", "meta.json"]);
  });

  test("without a QEMU neither is there a fork nor a restore, and it is said what is missing", async () => {
    const { snapDir } = await vm.snapshot({ outDir: bundle("sound"), leaveRunning: true });
    const vmmEnv = { MACHINEN_QEMU: "/nowhere/qemu" };
    for (const make of [() => vm.fork({ vmmEnv }), () => restore({ snapDir, vmmEnv })]) {
      const error = await rejection(make());
      expect([error.code, error.message]).toEqual([
        "BOOT_VMM_MISSING",
        expect.stringMatching(/^cannot start '\/nowhere\/qemu': No such file/),
      ]);
    }
    expect(list().map((entry) => entry.pid)).toEqual([vm.pid]);
    expect(scratch.runDirs().length).toBe(1);
  });

  test("a damaged bundle is refused with what is wrong, and nothing is left", async () => {
    const { snapDir } = await vm.snapshot({
      outDir: bundle("bad"),
      leaveRunning: true,
    });
    const state = join(snapDir, "img", "device.state");
    const bytes = readFileSync(state);
    bytes[100]! ^= 1;
    writeFileSync(state, bytes);
    const error = await rejection(restore({ snapDir }));
    expect(error.code).toBe("BOOT_SNAPSHOT_NOT_FOUND");
    expect(error.message).toContain("device.state: its checksum is wrong");
    expect(list().length).toBe(1);
    expect(scratch.runDirs().length).toBe(1);
  });

  test("a snapshot that gives up leaves the machine running", async () => {
    const outDir = bundle("hurry");
    const error = await rejection(vm.snapshot({ outDir, timeoutMs: 1, leaveRunning: true }));
    expect(error.code).toBe("SNAPSHOT_TIMEOUT");
    expect(existsSync(outDir)).toBe(false);
    await vm.exec("true");
  });
});

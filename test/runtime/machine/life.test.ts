import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import type { LogEvent } from "../../../src/runtime/log.ts";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import { bootSnapshotPath } from "../../../src/runtime/machine/boot-log.ts";
import { measureFirstByte } from "../../../src/runtime/machine/first-byte.ts";
import { collectGarbage } from "../../../src/runtime/machine/gc.ts";
import { sweepRunDirs } from "../../../src/runtime/machine/orphan-dirs.ts";
import {
  identify,
  isRunning,
  waitUntilGone,
} from "../../../src/runtime/machine/process-identity.ts";
import { createRunDir, removeRunDir } from "../../../src/runtime/machine/run-dir.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
import { runInOtherProcess } from "./other-process.ts";
import { rejection, useScratch } from "./scratch.ts";

/** Who holds a machine, who finds it, and whom it outlives. Any program can be the VMM. */
const scratch = useScratch();
const sh = (script: string) => ({ binary: "/bin/sh", args: ["-c", script] });

afterEach(() => {
  expect(list()).toEqual([]);
  expect(scratch.runDirs()).toEqual([]);
});
afterAll(() => scratch.remove());

describe("attach", () => {
  test("finds a machine by name or pid, inert streams and all", async () => {
    const vm = await boot({ binary: "/bin/cat", name: "found" });
    const byName = await attach({ name: "found" });
    const byPid = await attach({ pid: vm.pid });
    expect([byName.pid, byPid.name]).toEqual([vm.pid, "found"]);
    expect(await byName.output()).toBe("");
    const ended = byPid.wait();
    await byName.kill();
    await ended;
    await vm.wait();
  });

  test("can do all that the booter can", async () => {
    const vm = await boot({ binary: "/bin/cat" });
    const attached = await attach({ pid: vm.pid });
    expect(Object.keys(attached).sort()).toEqual(Object.keys(vm).sort());
    expect([attached.stdout.readable, attached.stderr.readable]).toEqual([true, true]);
    for (const stream of [attached.stdout, attached.stderr]) {
      expect(Buffer.concat(await stream.toArray()).length).toBe(0);
    }
    expect([await attached.output(), await attached.errorOutput()]).toEqual(["", ""]);
    // More than a stream holds: what is written goes nowhere, and keeps nobody waiting.
    await new Promise((resolve) => attached.stdin.write(Buffer.alloc(1 << 20), resolve));
    await attached.kill();
    await vm.wait();
  });

  test("hears nothing of the console, which is its booter's", async () => {
    const heard: string[] = [];
    const hears = (who: string) => (event: LogEvent) => heard.push(`${who} ${event.source}`);
    const vm = await boot({ ...sh("read line; echo $line >&2"), onLog: hears("booter") });
    const attached = await attach({ pid: vm.pid, onLog: hears("attacher") });
    vm.stdin.write("console\n");
    await Promise.all([vm.wait(), attached.wait()]);
    expect(await vm.errorOutput()).toBe("console\n");
    expect(new Set(heard)).toEqual(new Set(["booter phase", "booter guest-console"]));
  });

  test.each([{}, { pid: 1, name: "x" }, { name: "nobody" }, { pid: 999_999_999 }])(
    "refuses %j",
    async (opts) => {
      expect((await rejection(attach(opts))).code).toBe("REGISTRY_VM_NOT_FOUND");
    },
  );
});

describe("detach()", () => {
  test("lets go of the machine, which goes on and can be found again, from either side", async () => {
    const vm = await boot({ ...sh("echo up; exec sleep 1000"), name: "let-go" });
    await measureFirstByte(vm);
    await vm.detach();
    expect([vm.stdin, vm.stdout, vm.stderr].map((stream) => stream.destroyed)).toEqual([
      true,
      true,
      true,
    ]);
    expect(await vm.output()).toBe("up\n");
    const found = await attach({ name: "let-go" });
    await found.detach();
    expect(isRunning(identify(vm.pid)!)).toBe(true);
    const ended = (await attach({ pid: vm.pid })).wait();
    await found.kill();
    await ended;
  });

  test("lets the program end before its machine does", async () => {
    const creator = await startCreator('{ pdeathsig: false, name: "left" }', "await vm.detach();");
    if (creator.process.exitCode === null) await once(creator.process, "exit");
    expect(creator.process.exitCode).toBe(0);
    const vm = await attach({ name: "left" });
    expect(vm.pid).toBe(creator.vmPid);
    await vm.kill();
  });
});

describe("detached", () => {
  test("resolves with the first byte, keeps the boot console and outlives its streams", async () => {
    const vm = await boot({ ...sh("echo booting >&2; exec sleep 1000"), detached: true });
    expect(readFileSync(bootSnapshotPath(vm.pid), "utf8")).toBe("booting\n");
    expect(readEntry(vm.pid)?.bootLogPath).toBe(bootSnapshotPath(vm.pid));
    const process = identify(vm.pid)!;
    expect(isRunning(process)).toBe(true);
    expect([await vm.output(), await vm.errorOutput()]).toEqual(["", ""]);
    const ended = vm.wait();
    await vm.kill();
    await ended;
    expect(existsSync(bootSnapshotPath(vm.pid))).toBe(false);
  });

  test("a machine that ends first fails with what it said", async () => {
    const error = await rejection(boot({ ...sh("echo no kernel >&2; exit 2"), detached: true }));
    expect(error.code).toBe("BOOT_DETACHED_READINESS_FAILED");
    expect(error.message).toContain("status 2");
    expect(error.message).toContain("no kernel");
  });

  test("the creator's death does not end it; anyone can", async () => {
    // Even when it was also asked to end with its creator.
    const creator = await startCreator('{ detached: true, pdeathsig: true, name: "orphan" }');
    if (creator.process.exitCode === null) await once(creator.process, "exit");
    expect(creator.process.exitCode).toBe(0);
    const vm = await attach({ name: "orphan" });
    expect(vm.pid).toBe(creator.vmPid);
    await vm.kill();
  });
});

describe("a creator that was killed", () => {
  test("leaves a machine of pdeathsig: false", async () => {
    const creator = await startCreator('{ pdeathsig: false, name: "heir" }');
    creator.process.kill("SIGKILL");
    await once(creator.process, "exit");
    const vm = await attach({ name: "heir" });
    expect(vm.pid).toBe(creator.vmPid);
    await vm.kill();
  });

  test("takes its machines with it", async () => {
    const creator = await startCreator('{ name: "dependent" }');
    const machine = identify(creator.vmPid)!;
    expect(list().map((entry) => entry.pid)).toEqual([machine.pid]);
    creator.process.kill("SIGKILL");
    expect(await waitUntilGone([machine], 60_000)).toBe(true);
    expect(list()).toEqual([]);
    expect(collectGarbage().map((result) => result.name)).toEqual(["dependent"]);
  });

  test("between making the run directory and registering leaves nothing gc cannot remove", async () => {
    const dead = spawn("/bin/true");
    await once(dead, "exit");
    const runDir = createRunDir();
    disown(runDir.path, { pid: dead.pid, identity: "gone" });
    const vmm = spawn("/bin/sleep", ["1000"], {
      env: { MACHINEN_RUN_DIR: runDir.path },
      stdio: "ignore",
    });
    const ended = once(vmm, "exit");
    const result = { pid: dead.pid, status: "dead", removedPaths: [runDir.path] };
    expect(collectGarbage({ dryRun: true })).toMatchObject([result]);
    expect(existsSync(runDir.path)).toBe(true);
    expect(collectGarbage()).toMatchObject([result]);
    expect(existsSync(runDir.path)).toBe(false);
    expect((await ended)[1]).toBe("SIGKILL");
  });

  test("a directory whose creator lives is left alone", () => {
    const runDir = createRunDir();
    collectGarbage();
    expect(existsSync(runDir.path)).toBe(true);
    disown(runDir.path, { pid: 1, identity: "other" });
    mkdirSync(join(runDir.path, "deep"));
    collectGarbage();
    expect(existsSync(runDir.path)).toBe(false);
  });

  test("during a sweep, right after registering its machine, does not cost the machine", () => {
    const runDir = createRunDir();
    const registered = () => {
      const before = new Set<string>();
      disown(runDir.path, { pid: 1, identity: "other" });
      return before;
    };
    expect(sweepRunDirs(registered)).toEqual([]);
    expect(existsSync(runDir.path)).toBe(true);
    expect(sweepRunDirs(() => new Set([runDir.path]))).toEqual([]);
    expect(existsSync(runDir.path)).toBe(true);
    removeRunDir(runDir.path);
  });

  test("a directory of another registry is left alone", () => {
    const runDir = createRunDir();
    disown(runDir.path, { pid: 1, identity: "other", registry: "/another" });
    collectGarbage();
    expect(existsSync(runDir.path)).toBe(true);
    removeRunDir(runDir.path);
  });
});

function disown(runDir: string, owner: object): void {
  const path = join(runDir, "owner");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...owner }));
}

/** Another process that boots a machine and says its pid. */
async function startCreator(
  options: string,
  after = "",
): Promise<{ process: ChildProcess; vmPid: number }> {
  const creator = await runInOtherProcess(
    `import { boot } from "./machine/boot.ts";
     const args = ["-c", "echo up >&2; exec sleep 1000"];
     const vm = await boot({ binary: "/bin/sh", args, ...${options} });
     console.log(vm.pid);
     ${after}`,
  );
  return { process: creator.process, vmPid: Number(creator.firstLine) };
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { LogEvent } from "../../../src/runtime/log.ts";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import { bootSnapshotPath } from "../../../src/runtime/machine/boot-log.ts";
import { measureFirstByte } from "../../../src/runtime/machine/first-byte.ts";
import { collectGarbage } from "../../../src/runtime/machine/gc.ts";
import {
  identify,
  isRunning,
  waitUntilGone,
} from "../../../src/runtime/machine/process-identity.ts";
import { createRunDir, removeRunDir, sweepRunDirs } from "../../../src/runtime/machine/run-dir.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
import { runInOtherProcess } from "./other-process.ts";
import { rejection, useScratch } from "./scratch.ts";

/** Any program can be the VMM: what `boot()` does around it needs no guest. */
const scratch = useScratch();
const sh = (script: string) => ({ binary: "/bin/sh", args: ["-c", script] });

beforeAll(() => {
  process.env.MACHINEN_KERNEL = "/the/callers/own";
});
afterEach(() => {
  expect(list()).toEqual([]);
  expect(scratch.runDirs()).toEqual([]);
});
afterAll(() => scratch.remove());

describe("a program as VMM", () => {
  test("cat is a machine that echoes", async () => {
    const vm = await boot({ binary: "/bin/cat", name: "echo/1" });
    expect(readEntry(vm.pid)).toMatchObject({ name: "echo/1", vmmExe: "/bin/cat" });
    vm.stdin.end("hello");
    expect(await vm.output()).toBe("hello");
    expect(await vm.wait()).toEqual({ code: 0, signal: null });
    expect(await vm.errorOutput()).toBe("");
  });

  test("its environment describes one machine, in short socket paths", async () => {
    const vm = await boot({ ...sh("env"), memory: 128, vmmEnv: { MACHINEN_CMDLINE: "x y" } });
    const env = Object.fromEntries(
      (await vm.output()).split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2)),
    );
    expect(env).toMatchObject({ MACHINEN_MEMORY: "128", MACHINEN_CMDLINE: "x y" });
    expect(env.MACHINEN_KERNEL).toBeUndefined();
    expect(env.MACHINEN_VSOCK).toMatch(/in:1970:[^,]+agent\.sock,.*in:1978:[^,]+exec\.sock/);
    expect(env.MACHINEN_CONTROL!.length).toBeLessThan(108);
    expect(env.MACHINEN_CONTROL!.startsWith(env.MACHINEN_RUN_DIR!)).toBe(true);
    await vm.wait();
  });

  test("output that nobody reads does not hold it up", async () => {
    const vm = await boot(sh("head -c 3000000 /dev/zero; echo end; echo trouble >&2; exit 7"));
    expect(await vm.wait()).toEqual({ code: 7, signal: null });
    const output = await vm.output();
    expect(output.length).toBe(1024 * 1024);
    expect(output.endsWith("end\n")).toBe(true);
    expect(await vm.errorOutput()).toBe("trouble\n");
  });

  test("kill resolves when it is gone, with its children and its directory", async () => {
    const vm = await boot(sh("sleep 1000 & wait"));
    const shell = identify(vm.pid)!;
    const runDir = readEntry(vm.pid)!.runDir!;
    expect(existsSync(runDir)).toBe(true);
    await vm.kill();
    expect(isRunning(shell)).toBe(false);
    expect(existsSync(runDir)).toBe(false);
    expect(await vm.wait()).toEqual({ code: null, signal: "SIGKILL" });
    await vm.kill();
  });

  test("wait gives up after timeoutMs and ends the machine", async () => {
    const vm = await boot({ ...sh("sleep 1000"), timeoutMs: 50 });
    const shell = identify(vm.pid)!;
    expect((await rejection(vm.wait())).code).toBe("BOOT_TIMEOUT");
    expect(isRunning(shell)).toBe(false);
  });

  test("the console is logged as it comes, the phases once", async () => {
    const events: LogEvent[] = [];
    const vm = await boot({ ...sh("echo console >&2"), onLog: (event) => events.push(event) });
    await vm.errorOutput();
    await vm.wait();
    const chunks = events.flatMap((e) => (e.source === "guest-console" ? [e.chunk] : []));
    expect(Buffer.concat(chunks).toString()).toBe("console\n");
    expect(events.filter((event) => event.source === "phase")).toMatchObject([{ kind: "boot" }]);
  });

  test("the first byte of either stream is measured", async () => {
    const vm = await boot(sh("echo x >&2; sleep 1000"));
    expect(await measureFirstByte(vm)).toBeGreaterThan(0);
    await vm.kill();
    const silent = await boot(sh("exit 0"));
    const error = await rejection(measureFirstByte(silent));
    await silent.wait();
    expect(error.message).toContain("before it printed anything");
  });

  test("a taken name is refused before anything starts, and free after the end", async () => {
    const first = await boot({ binary: "/bin/cat", name: "one" });
    const second = await rejection(boot({ binary: "/bin/cat", name: "one" }));
    expect(second.code).toBe("REGISTRY_NAME_IN_USE");
    expect(list().length).toBe(1);
    await first.kill();
    const again = await boot({ binary: "/bin/cat", name: "one" });
    await again.kill();
  });

  test("commands in a machine whose sockets are the caller's own", async () => {
    const vm = await boot({ binary: "/bin/cat", vmmEnv: { MACHINEN_VSOCK: "in:9:/tmp/x" } });
    expect((await rejection(vm.exec("true"))).code).toBe("EXEC_VSOCK_UNAVAILABLE");
    await vm.kill();
  });

  test("a command in a machine that ends is refused soon, with the reason", async () => {
    const vm = await boot(sh("exec sleep 0.2"));
    const error = await rejection(vm.execRaw("true"));
    expect(error.code).toBe("EXEC_AGENT_UNAVAILABLE");
    expect(error.message).toContain("ended");
    await vm.wait();
  });

  test("memoryStats tells the ceiling only when it is ours", async () => {
    const ours = await boot({ binary: "/bin/cat", memory: 256 });
    expect(await ours.memoryStats()).toMatchObject({
      ceilingMib: 256,
      balloonInflatedBytes: 0,
      lazyPagesPending: 0,
    });
    expect((await ours.memoryStats()).hostRssBytes).toBeGreaterThan(0);
    await ours.kill();
    expect((await ours.memoryStats()).hostRssBytes).toBeNull();
    const theirs = await boot({ binary: "/bin/cat", vmmEnv: { MACHINEN_MEMORY: "300" } });
    expect((await theirs.memoryStats()).ceilingMib).toBeNull();
    await theirs.kill();
  });
});

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

  test.each([{}, { pid: 1, name: "x" }, { name: "nobody" }, { pid: 999_999_999 }])(
    "refuses %j",
    async (opts) => {
      expect((await rejection(attach(opts))).code).toBe("REGISTRY_VM_NOT_FOUND");
    },
  );
});

describe("detached", () => {
  test("resolves with the first byte, keeps the boot console and outlives its streams", async () => {
    const vm = await boot({ ...sh("echo booting >&2; exec sleep 1000"), detached: true });
    expect(readFileSync(bootSnapshotPath(vm.pid), "utf8")).toBe("booting\n");
    expect(readEntry(vm.pid)?.bootLogPath).toBe(bootSnapshotPath(vm.pid));
    const process = identify(vm.pid)!;
    expect(isRunning(process)).toBe(true);
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
    const creator = await startCreator('{ detached: true, name: "orphan" }');
    if (creator.process.exitCode === null) await once(creator.process, "exit");
    expect(creator.process.exitCode).toBe(0);
    const vm = await attach({ name: "orphan" });
    expect(vm.pid).toBe(creator.vmPid);
    await vm.kill();
  });
});

describe("a creator that was killed", () => {
  test("takes its machines with it", async () => {
    const creator = await startCreator('{ name: "dependent" }');
    const machine = identify(creator.vmPid)!;
    expect(list().map((entry) => entry.pid)).toEqual([machine.pid]);
    creator.process.kill("SIGKILL");
    expect(await waitUntilGone([machine], 5000)).toBe(true);
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
async function startCreator(options: string): Promise<{ process: ChildProcess; vmPid: number }> {
  const creator = await runInOtherProcess(
    `import { boot } from "./machine/boot.ts";
     const args = ["-c", "echo up >&2; exec sleep 1000"];
     const vm = await boot({ binary: "/bin/sh", args, ...${options} });
     console.log(vm.pid);`,
  );
  return { process: creator.process, vmPid: Number(creator.firstLine) };
}

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { LogEvent } from "../../../src/runtime/log.ts";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { BootOptions } from "../../../src/runtime/machine/boot-options.ts";
import { measureFirstByte } from "../../../src/runtime/machine/first-byte.ts";
import { identify, isRunning } from "../../../src/runtime/machine/process-identity.ts";
import { autoSizeMemoryMib } from "../../../src/runtime/memory/index.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
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

  const environment = async (opts: BootOptions): Promise<Record<string, string | undefined>> => {
    const vm = await boot({ ...sh("env"), ...opts });
    const lines = (await vm.output()).split("\n");
    await vm.wait();
    return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
  };

  test("its environment describes one machine, in short socket paths", async () => {
    const env = await environment({ memory: 128, vmmEnv: { MACHINEN_CMDLINE: "x y" } });
    expect(env).toMatchObject({ MACHINEN_MEMORY: "128", MACHINEN_CMDLINE: "x y" });
    expect(env.MACHINEN_KERNEL).toBeUndefined();
    expect(env.MACHINEN_VSOCK).toMatch(/in:1970:[^,]+agent\.sock,.*in:1978:[^,]+exec\.sock/);
    expect(env.MACHINEN_CONTROL!.length).toBeLessThan(108);
    expect(env.MACHINEN_CONTROL!.startsWith(env.MACHINEN_RUN_DIR!)).toBe(true);
  });

  test("is led to its directory by absolute paths, wherever such directories lie", async () => {
    const usual = process.env.XDG_RUNTIME_DIR!;
    process.env.XDG_RUNTIME_DIR = relative(process.cwd(), usual);
    try {
      const { MACHINEN_RUN_DIR } = await environment({ cwd: "/" });
      expect(MACHINEN_RUN_DIR!.startsWith(`${usual}/`)).toBe(true);
    } finally {
      process.env.XDG_RUNTIME_DIR = usual;
    }
  });

  test("is told of kernel, device tree and memory, and nothing of the guest's own environment", async () => {
    const file = join(scratch.path, "file");
    writeFileSync(file, "");
    const env = await environment({ kernel: file, dtb: file, env: { OF_THE_GUEST: "x" } });
    expect(env).toMatchObject({
      MACHINEN_KERNEL: file,
      MACHINEN_DTB: file,
      MACHINEN_MEMORY: String(autoSizeMemoryMib()),
    });
    expect(env.OF_THE_GUEST).toBeUndefined();
  });

  test("runs in the directory it was told to, with its arguments", async () => {
    const args = ["-c", 'pwd; echo "$@"', "sh", "a b", "c"];
    const vm = await boot({ binary: "/bin/sh", args, cwd: scratch.path });
    expect(await vm.output()).toBe(`${scratch.path}\na b c\n`);
    await vm.wait();
  });

  test("is recorded with when it began and what it comes from", async () => {
    const before = Date.now();
    const vm = await boot({ binary: "/bin/cat", forkedFrom: "/bundles/one" });
    expect(readEntry(vm.pid)!.startedAt).toBeGreaterThanOrEqual(before);
    expect(readEntry(vm.pid)!.startedAt).toBeLessThanOrEqual(Date.now());
    expect(readEntry(vm.pid)!.forkedFrom).toBe("/bundles/one");
    await vm.kill();
    const plain = await boot({ binary: "/bin/cat" });
    expect(Object.keys(readEntry(plain.pid)!)).not.toContain("forkedFrom");
    await plain.kill();
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
    expect((await rejection(vm.execRaw("true"))).code).toBe("EXEC_VSOCK_UNAVAILABLE");
    expect((await rejection(vm.writeFile("/x", "y"))).code).toBe("EXEC_VSOCK_UNAVAILABLE");
    await vm.kill();
  });

  test("a command in a machine that ends is refused soon, with the reason", async () => {
    const vm = await boot(sh("sleep 0.2; echo there is no QEMU >&2; exit 3"));
    const error = await rejection(vm.execRaw("true"));
    expect(error.code).toBe("EXEC_AGENT_UNAVAILABLE");
    expect(error.message).toBe("the machine has ended; its console ends with:\nthere is no QEMU");
    await vm.wait();
    const silent = await boot(sh("exit 0"));
    expect((await rejection(silent.exec("true"))).message).toBe("the machine has ended");
    await silent.wait();
  });

  test("a scratch disk of the caller's own is recorded and left alone", async () => {
    const disk = join(scratch.path, "disk");
    writeFileSync(disk, "the caller's");
    const vm = await boot({ binary: "/bin/cat", cwd: scratch.path, snapshot: "disk" });
    expect(readEntry(vm.pid)?.diskPath).toBe(disk);
    await vm.kill();
    expect(readFileSync(disk, "utf8")).toBe("the caller's");
    const without = await boot({ binary: "/bin/cat" });
    expect(readEntry(without.pid)?.diskPath).toBeUndefined();
    await without.kill();
  });

  test("memoryStats reads what the machine has given back from its stats file, for every handle", async () => {
    // 64-bit counters, the lowest byte first: 1, and 2 of what is in the balloon now.
    const counters = `printf '\\1\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0'`;
    const vm = await boot(sh(`${counters} > $MACHINEN_STATS_FILE; echo written; exec sleep 1000`));
    await measureFirstByte(vm);
    const handles = [vm, await attach({ pid: vm.pid })];
    for (const handle of handles) {
      expect((await handle.memoryStats()).balloonInflatedBytes).toBe(1);
    }
    await vm.kill();
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

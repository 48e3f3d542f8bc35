import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseMemAvailable, parseVmStat } from "../../../src/runtime/memory/host-memory.ts";
import {
  autoSizeMemoryMib,
  checkForkBackpressure,
  DEFAULT_FREE_MEMORY_THRESHOLD,
  readBalloonStats,
  readHostFreeBytes,
  readHostRssBytes,
  readHostRssBytesMulti,
  readHostTotalBytes,
  STATS_FILE_SIZE,
  validateMemoryMib,
} from "../../../src/runtime/memory/index.ts";

let dir = "";
const children: ChildProcess[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "machinen-memory-"));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

describe("host memory", () => {
  it("is between nothing and everything", async () => {
    const free = await readHostFreeBytes();
    expect(free).toBeGreaterThan(0);
    expect(free).toBeLessThanOrEqual(readHostTotalBytes());
    expect(readHostTotalBytes()).toBe(totalmem());
  });

  it("is all there is where it cannot be measured, so that nothing is refused there", async () => {
    const { platform } = process;
    Object.defineProperty(process, "platform", { value: "sunos" });
    try {
      expect(await readHostFreeBytes()).toBe(totalmem());
    } finally {
      Object.defineProperty(process, "platform", { value: platform });
    }
  });

  it("is read from what the systems print", () => {
    expect(parseMemAvailable("MemFree: 1 kB\nMemAvailable:   2048 kB\n")).toBe(2 ** 21);
    expect(parseMemAvailable("MemFree: 1 kB\n")).toBeUndefined();
    const report =
      "Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free:    10.\n" +
      "Pages active: 99.\nPages speculative:  5.\nPages purgeable: 1.\n";
    expect(parseVmStat(report)).toBe(16 * 16384);
    expect(parseVmStat("Pages free: 10.")).toBeUndefined();
  });

  it("refuses a fork below the threshold only", async () => {
    const check = (threshold: number, free: number) =>
      checkForkBackpressure({ threshold, totalBytes: 1000, readFree: async () => free });
    await check(0.1, 100);
    await expect(check(0.1, 99)).rejects.toMatchObject({ code: "FORK_MEMORY_BACKPRESSURE" });
    await expect(check(5, 999)).rejects.toMatchObject({ code: "FORK_MEMORY_BACKPRESSURE" });
    await check(5, 1000);
    for (const off of [0, -1, Number.NEGATIVE_INFINITY]) await check(off, 0);
    await expect(check(Number.POSITIVE_INFINITY, 999)).rejects.toThrow("stop a machine");
    for (const none of [Number.NaN, "0.1" as never]) {
      await expect(check(none, 1000)).rejects.toMatchObject({ code: "BOOT_MEMORY_INVALID" });
    }
    expect(DEFAULT_FREE_MEMORY_THRESHOLD).toBe(0.01);
    await checkForkBackpressure({ threshold: 1e-9 });
  });
});

describe("guest memory", () => {
  it("defaults to half the host's within bounds", () => {
    const gib = 2 ** 30;
    expect([gib / 2, gib, 8 * gib, 256 * gib].map(autoSizeMemoryMib)).toEqual([
      512, 512, 4096, 16_384,
    ]);
    expect(Number.isInteger(autoSizeMemoryMib(3 * gib + 12_345))).toBe(true);
    expect(validateMemoryMib(autoSizeMemoryMib())).toBe(autoSizeMemoryMib());
  });

  it("is a sensible whole number", () => {
    expect(validateMemoryMib(512)).toBe(512);
    for (const bad of [0, -1, 1.5, 63, Number.NaN, Infinity, 2 ** 30, "512" as never]) {
      expect(() => validateMemoryMib(bad)).toThrow(
        expect.objectContaining({ code: "BOOT_MEMORY_INVALID" }),
      );
    }
  });
});

describe("balloon stats", () => {
  it("reads three counters, or nothing from a short or missing file", () => {
    const path = join(dir, "stats");
    expect(readBalloonStats(path)).toBeNull();
    const bytes = Buffer.alloc(STATS_FILE_SIZE);
    bytes.writeBigUInt64LE(2n ** 40n, 0);
    bytes.writeBigUInt64LE(2n, 8);
    bytes.writeBigUInt64LE(3n, 16);
    writeFileSync(path, bytes.subarray(0, 23));
    expect(readBalloonStats(path)).toBeNull();
    writeFileSync(path, bytes);
    expect(readBalloonStats(path)).toEqual({
      bytesReported: 2 ** 40,
      bytesInflated: 2,
      hostPhysFootprintBytes: 3,
    });
    expect(readBalloonStats(dir)).toBeNull();
  });
});

describe.runIf(process.platform === "linux")("resident memory", () => {
  it("is the process's own when it has no QEMU", () => {
    const rss = readHostRssBytes(process.pid)!;
    const kib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "latin1"))![1]);
    expect(Math.abs(rss - kib * 1024)).toBeLessThan(64 * 2 ** 20);
    expect(readHostRssBytes(2 ** 22 + 1)).toBeNull();
    expect(readHostRssBytes(-1)).toBeNull();
  });

  it("counts the memory of the QEMU below a VMM, and of no other child", async () => {
    // Any process the kernel calls qemu-system... counts; a shell's big sibling does not.
    const qemu = join(dir, "qemu-system-x86_64");
    copyFileSync(process.execPath, qemu);
    chmodSync(qemu, 0o755);
    const hog = `const b = Buffer.alloc(64 << 20, 1); console.log("full"); setInterval(() => b[0], 1e6)`;
    const parentOf = async (program: string) => {
      const child = spawn(
        "/bin/sh",
        ["-c", '"$0" -e "$1" & trap "kill $!" TERM EXIT; wait', program, hog],
        {
          stdio: ["ignore", "pipe", "inherit"],
          detached: true,
        },
      );
      children.push({
        kill: () => process.kill(-child.pid!, "SIGKILL"),
      } as unknown as ChildProcess);
      await new Promise((resolve) => child.stdout.once("data", resolve));
      return child.pid!;
    };
    const vmm = await parentOf(qemu);
    const other = await parentOf(process.execPath);
    const sizes = readHostRssBytesMulti([{ pid: vmm, statsPath: "/none" }, other, 2 ** 22 + 1]);
    expect([...sizes.keys()]).toEqual([vmm, other]);
    expect(sizes.get(vmm)).toBeGreaterThan(64 * 2 ** 20);
    expect(sizes.get(other)).toBeLessThan(16 * 2 ** 20);
  });
});

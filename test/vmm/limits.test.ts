import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Machine, makeInitramfs, until, vmmBinary } from "./machine.ts";
import { withSmallDisk } from "./small-disk.ts";
import { saveBooted, useMachines } from "./use-machines.ts";

const { scratch, keep } = useMachines();
let initrd: string;
let source: Machine;

/** Change one of a running process's own limits; the kernel enforces it as any other. */
const limit = (machine: Machine, what: string, bytes: number | "unlimited") =>
  execFileSync("prlimit", ["--pid", String(machine.process.pid), `--${what}=${bytes}:`]);

const addressSpace = (machine: Machine): number =>
  Number(readFileSync(`/proc/${machine.process.pid}/statm`, "utf8").split(" ")[0]) * 4096;

beforeAll(async () => {
  initrd = makeInitramfs(scratch.path);
  source = Machine.template(scratch.path, await saveBooted(scratch.path, initrd, "true"));
  await source.run("true");
}, 120_000);
afterAll(() => source?.quit());

describe("a fork for which there is not enough", () => {
  it.each([
    ["address space in the source", "as", () => addressSpace(source) + (16 << 20)],
    ["room for files in memory in the source", "fsize", () => 1 << 20],
  ] as const)(
    "%s is refused, and works when there is",
    async (_what, kind, bytes) => {
      limit(source, kind, bytes());
      const child = keep(source.fork(scratch.path));
      expect(await child.ended).toEqual({ code: 4, signal: null });
      expect(child.console).toMatch(/^NO_SPACE: .*(Cannot allocate memory|File too large)\n$/);
      expect(existsSync(child.runDir)).toBe(false);
      limit(source, kind, "unlimited");
      expect(await source.run("echo on")).toBe("on\n");
      expect(await keep(source.fork(scratch.path)).run("echo whole")).toBe("whole\n");
    },
    60_000,
  );

  it("memory for its own QEMU ends, says why, and leaves nothing", async () => {
    const env = { MACHINEN_INCOMING: `fork:${source.path("control")}` };
    const command = ["prlimit", `--as=${384 << 20}`, vmmBinary];
    const child = keep(new Machine(scratch.path, env, command));
    expect(await child.ended).toEqual({ code: 3, signal: null });
    expect(child.console).toMatch(/qemu: .*(memory|allocate)/i);
    expect(existsSync(child.runDir)).toBe(false);
    expect(await source.run("echo on")).toBe("on\n");
  }, 60_000);
});

it("a bundle that meets a limit half-way is refused, and nothing is left", async () => {
  const directory = join(scratch.path, "limited");
  const save = ["--fsize=1048576", vmmBinary, "save", source.path("control"), directory];
  const { status, stderr } = spawnSync("prlimit", save, { encoding: "utf8" });
  expect(stderr).toBe("NO_SPACE: memory.img: File too large\n");
  expect(status).toBe(1);
  expect(existsSync(directory)).toBe(false);
  expect(await source.run("echo on")).toBe("on\n");
}, 60_000);

it("a guest whose write finds the host's disk full waits for room and loses nothing", async () => {
  const [image, small] = [join(scratch.path, "disk.raw"), join(scratch.path, "small")];
  writeFileSync(image, "");
  truncateSync(image, 64 << 20);
  mkdirSync(small);
  const env = { MACHINEN_ROOTDISK: image, MACHINEN_DISK_DIR: small };
  const command = withSmallDisk(small, 24, [vmmBinary]);
  const machine = keep(Machine.boot(scratch.path, initrd, env, command));
  const sum = await machine.run("head -c 16777216 /dev/urandom > /tmp/data; md5sum < /tmp/data");
  const filler = join(`/proc/${machine.process.pid}/root`, small, "filler");
  writeFileSync(filler, Buffer.alloc(16 << 20, 1));

  const written = machine.run("dd if=/tmp/data of=/dev/vda bs=64k conv=fsync 2>/dev/null");
  const says = (words: string) => until(words, () => machine.console.includes(words), 60_000);
  await says("machinen: the host's disk is full: the machine waits until there is room\n");
  expect(await machine.control("status")).toMatchObject({ state: "paused" });
  rmSync(filler);
  await written;
  await says("machinen: there is room again: the machine goes on\n");
  expect(await machine.control("status")).toMatchObject({ state: "running" });
  const read = "echo 3 > /proc/sys/vm/drop_caches; head -c 16777216 /dev/vda | md5sum";
  expect(await machine.run(read)).toBe(sum);
}, 180_000);

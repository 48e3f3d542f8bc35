import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Machine, makeInitramfs, until, vmmBinary } from "./machine.ts";
import { withSmallDisk } from "./small-disk.ts";
import { useMachines } from "./use-machines.ts";

const { scratch, keep } = useMachines();
let initrd: string;
let source: Machine;
let count = 0;
/** What `vmm.json` ends with. */
const ending = /,"sha256":"[0-9a-f]{64}"\}\n$/;

const newDirectory = () => join(scratch.path, `bundle-${count++}`);

function startSave(machine: Machine, directory: string, ...args: string[]) {
  const child = spawn(vmmBinary, ["save", machine.path("control"), directory, ...args]);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.on("close", (code) => resolve({ code, stdout, stderr })),
  );
  return { child: child as ChildProcessWithoutNullStreams, ended, said: () => stdout };
}

async function save(machine: Machine, directory = newDirectory()): Promise<string> {
  expect(await startSave(machine, directory).ended).toEqual({ code: 0, stdout: "", stderr: "" });
  return directory;
}

function restore(directory: string): Machine {
  return keep(new Machine(scratch.path, { MACHINEN_INCOMING: `bundle:${directory}` }));
}

beforeAll(async () => {
  initrd = makeInitramfs(scratch.path);
  source = Machine.boot(scratch.path, initrd);
  await source.run("mkdir -p /tmp; echo kept in memory > /tmp/file");
}, 60_000);
afterAll(() => source?.quit());

describe("a bundle", () => {
  it("brings the machine back, also after it was copied and the original removed, and from a copy of a copy", async () => {
    const directory = await save(source);
    expect(readdirSync(directory).sort()).toEqual(["device.state", "memory.img", "vmm.json"]);
    const memory = statSync(join(directory, "memory.img"));
    expect(memory.size).toBe(256 << 20);
    expect(memory.blocks * 512).toBeLessThan(memory.size / 2);

    const moved = newDirectory();
    cpSync(directory, moved, { recursive: true });
    rmSync(directory, { recursive: true });
    const second = restore(moved);
    expect(await second.run("cat /tmp/file")).toBe("kept in memory\n");
    await second.run("echo second > /tmp/file");
    rmSync(moved, { recursive: true });
    expect(await second.run("find / -xdev -name file -exec cat {} ';'")).toContain("second");

    const third = restore(await save(second));
    expect(await third.run("cat /tmp/file")).toBe("second\n");
    expect(await source.run("cat /tmp/file")).toBe("kept in memory\n");
    const fork = keep(third.fork(scratch.path));
    expect(await fork.run("cat /tmp/file")).toBe("second\n");
  }, 120_000);

  it.each([
    [
      "a changed byte of memory",
      (directory: string) => {
        const path = join(directory, "memory.img");
        const content = readFileSync(path);
        const at = content.findIndex((byte) => byte !== 0);
        writeSync(openSync(path, "r+"), Buffer.from([content[at]! ^ 1]), 0, 1, at);
      },
      /^BUNDLE_CORRUPT: memory.img: its checksum is wrong\n$/,
    ],
    [
      "a changed byte of device state",
      (directory: string) => {
        const content = readFileSync(join(directory, "device.state"));
        content[content.length >> 1]! ^= 1;
        writeFileSync(join(directory, "device.state"), content);
      },
      /^BUNDLE_CORRUPT: device.state: its checksum is wrong\n$/,
    ],
    [
      "cut memory",
      (directory: string) => truncateSync(join(directory, "memory.img"), 1 << 20),
      /^BUNDLE_CORRUPT: memory.img: has 1048576 bytes, should have 268435456\n$/,
    ],
    [
      "a missing file",
      (directory: string) => rmSync(join(directory, "device.state")),
      /^BUNDLE_IO: device.state: No such file or directory\n$/,
    ],
    [
      "a link that leads nowhere",
      (directory: string) => {
        rmSync(join(directory, "device.state"));
        symlinkSync("/nowhere/at/all", join(directory, "device.state"));
      },
      /^BUNDLE_IO: device.state: No such file or directory\n$/,
    ],
    [
      "a link to something else",
      (directory: string) => {
        rmSync(join(directory, "device.state"));
        symlinkSync("memory.img", join(directory, "device.state"));
      },
      /^BUNDLE_CORRUPT: device.state: has \d+ bytes, should have \d+\n$/,
    ],
    [
      "a pipe that nobody writes to",
      (directory: string) => {
        rmSync(join(directory, "memory.img"));
        execFileSync("mkfifo", [join(directory, "memory.img")]);
      },
      /^BUNDLE_CORRUPT: memory.img: has 0 bytes, should have \d+\n$/,
    ],
    [
      "a description that is no JSON",
      (directory: string) => truncateSync(join(directory, "vmm.json"), 40),
      /^BUNDLE_CORRUPT: vmm.json: is not JSON\n$/,
    ],
    [
      "another kind of machine",
      (directory: string) =>
        edit(directory, (text) => text.replace(/"microvm-\d+"/, '"microvm-0"')),
      /^STATE_MACHINE: it was saved on machine 'microvm-0'/,
    ],
    [
      "another QEMU's state",
      (directory: string) => edit(directory, (text) => text.replace(/"qemu":"\d+/, '"qemu":"1')),
      /^STATE_QEMU: it was saved by QEMU 1\.[^\n]+[^\n]+MACHINEN_QEMU[^\n]+\n$/,
    ],
    [
      "another processor's time",
      (directory: string) =>
        edit(directory, (text) => text.replace(/"tscKhz":\d+/, '"tscKhz":90000000')),
      /^STATE_PROCESSOR: it counts time at 90000000 kHz[^\n]+MACHINEN_TSC_KHZ=90000000[^\n]+\n$/,
    ],
    [
      "a changed digit of its description",
      (directory: string) => {
        const path = join(directory, "vmm.json");
        writeFileSync(path, readFileSync(path, "utf8").replace('"cpus":1', '"cpus":3'));
      },
      /^BUNDLE_CORRUPT: vmm.json: its checksum is wrong\n$/,
    ],
    [
      "a description whose checksum is gone",
      (directory: string) => {
        const path = join(directory, "vmm.json");
        writeFileSync(path, readFileSync(path, "utf8").replace(ending, "}\n"));
      },
      /^BUNDLE_CORRUPT: vmm.json: its checksum is wrong\n$/,
    ],
    [
      "a memory size that is not the file's",
      (directory: string) =>
        edit(directory, (text) => text.replace('"memoryMib":256', '"memoryMib":257')),
      /^BUNDLE_CORRUPT: memory.img: is not as large as vmm.json says\n$/,
    ],
  ])(
    "with %s is refused with the reason",
    async (_what, damage, reason) => {
      const directory = await save(source);
      damage(directory);
      const machine = restore(directory);
      expect(await machine.ended).toEqual({ code: 4, signal: null });
      expect(machine.console).toMatch(reason);
      expect(existsSync(machine.runDir)).toBe(false);
    },
    60_000,
  );

  it("is followed through links, wherever its files lie", async () => {
    const directory = await save(source);
    const link = newDirectory();
    symlinkSync(directory, link);
    renameSync(join(directory, "memory.img"), join(scratch.path, "elsewhere.img"));
    symlinkSync(join(scratch.path, "elsewhere.img"), join(directory, "memory.img"));
    expect(await restore(link).run("cat /tmp/file")).toBe("kept in memory\n");
  }, 60_000);

  it("is not written over another, and nothing half-made is left", async () => {
    const taken = newDirectory();
    mkdirSync(taken);
    writeFileSync(join(taken, "device.state"), "somebody's");
    const result = await startSave(source, taken).ended;
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/^BUNDLE_IO: device.state: File exists\n$/);
    expect(readdirSync(taken)).toEqual(["device.state"]);
    expect(readFileSync(join(taken, "device.state"), "utf8")).toBe("somebody's");
    const nowhere = await startSave(source, "/nowhere/at/all").ended;
    expect(nowhere).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^BUNDLE_IO: \/nowhere/),
    });
    expect(await source.run("echo on")).toBe("on\n");
  }, 60_000);

  it("that does not fit on its disk is refused, and nothing is left", async () => {
    const small = newDirectory();
    mkdirSync(small);
    const script = `'${vmmBinary}' save '${source.path("control")}' '${small}/b'; echo $?; ls '${small}'`;
    const [program, ...args] = withSmallDisk(small, 4, ["sh", "-c", script]);
    const mounted = spawn(program!, args);
    let output = "";
    mounted.stdout.on("data", (chunk) => {
      output += chunk;
    });
    mounted.stderr.on("data", (chunk) => {
      output += chunk;
    });
    await new Promise((resolve) => mounted.on("close", resolve));
    expect(output).toMatch(/^NO_SPACE: the bundle needs up to \d+ MiB, the disk has \d\n1\n$/);
    expect(await source.run("echo on")).toBe("on\n");
  }, 60_000);

  it("with hold, the machine waits for the word: quit, release, or none", async () => {
    const machine = keep(Machine.boot(scratch.path, initrd));
    await machine.run("true");
    const released = startSave(machine, newDirectory(), "hold");
    await until("saved", () => released.said() === "saved\n");
    expect(await machine.control("status")).toMatchObject({ state: "paused" });
    released.child.stdin.end("release\n");
    expect((await released.ended).code).toBe(0);
    expect(await machine.control("status")).toMatchObject({ state: "running" });

    const abandoned = startSave(machine, newDirectory(), "hold");
    await until("saved", () => abandoned.said() === "saved\n");
    abandoned.child.kill("SIGKILL");
    await until("it to run on", async () => (await machine.control("status")).state === "running");

    const directory = newDirectory();
    const moved = startSave(machine, directory, "hold");
    await until("saved", () => moved.said() === "saved\n");
    moved.child.stdin.end("quit\n");
    expect((await moved.ended).code).toBe(0);
    expect(await machine.ended).toEqual({ code: 0, signal: null });
    expect(await restore(directory).run("echo back")).toBe("back\n");
  }, 60_000);
});

/** Another description with the checksum it would have been written with. */
function edit(directory: string, change: (text: string) => string): void {
  const path = join(directory, "vmm.json");
  const text = change(readFileSync(path, "utf8").replace(ending, ""));
  const sum = createHash("sha256").update(text).digest("hex");
  writeFileSync(path, `${text},"sha256":"${sum}"}\n`);
}

import {
  closeSync,
  copyFileSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Machine, makeInitramfs, until } from "./machine.ts";
import { makeFileSystem, useMachines } from "./use-machines.ts";

const { scratch, keep, quitAll } = useMachines();
const file = join(scratch.path, "scratch.img");
const MIB = 1 << 20;
const STABLE = "/dev/disk/by-id/virtio-scratch";
let initrd: string;

const boot = (env: Record<string, string> = {}) =>
  keep(Machine.boot(scratch.path, initrd, { MACHINEN_SCRATCH_DISK: file, ...env }));

/** What the guest puts at a place of the disk, past its own cache. */
const put = (machine: Machine, text: string, block: number, disk = STABLE) =>
  machine.run(`printf '%s' '${text}' | dd of=${disk} bs=4096 seek=${block} conv=notrunc,fsync`);

async function get(machine: Machine, block: number, disk = STABLE): Promise<string> {
  return machine.run(
    `echo 3 > /proc/sys/vm/drop_caches; dd if=${disk} bs=4096 skip=${block} count=1 2>/dev/null | tr -d '\\0'`,
  );
}

/** The same on the host. */
function fileText(path: string, block: number): string {
  const fd = openSync(path, "r");
  const bytes = Buffer.alloc(Math.min(4096, fstatSync(fd).size - block * 4096));
  readSync(fd, bytes, 0, bytes.length, block * 4096);
  closeSync(fd);
  return bytes.toString().replaceAll("\0", "");
}

/** Its QEMU ends a moment later, and the file is free then. */
async function killVmm(machine: Machine): Promise<void> {
  const lock = new RegExp(`OFDLCK .*:${statSync(file).ino} `);
  expect(readFileSync("/proc/locks", "utf8")).toMatch(lock);
  machine.process.kill("SIGKILL");
  await machine.ended;
  await until("the end of QEMU", () => !lock.test(readFileSync("/proc/locks", "utf8")));
}

function newFile(path: string, bytes: number): string {
  writeFileSync(path, "");
  truncateSync(path, bytes);
  return path;
}

beforeAll(() => {
  initrd = makeInitramfs(scratch.path);
});

describe("a scratch disk", () => {
  it("is the caller's file, for one machine until that has ended: what it writes is there at once, and stays", async () => {
    newFile(file, 16 * MIB);
    const machine = boot();
    expect(
      await machine.run(`cat /sys/block/vda/size /sys/block/vda/ro; readlink -f ${STABLE}`),
    ).toBe(`${(16 * MIB) / 512}\n0\n/dev/vda\n`);
    await put(machine, "written", 3);
    expect(fileText(file, 3)).toBe("written");
    await put(machine, "and again", 4000);

    const link = join(scratch.path, "link");
    symlinkSync(file, link);
    const second = boot({ MACHINEN_SCRATCH_DISK: link });
    expect(await second.ended).toEqual({ code: 2, signal: null });
    expect(second.console).toBe(`DISK_IN_USE: ${link}: is in use\n`);
    await killVmm(machine);
    expect(fileText(file, 3) + fileText(file, 4000)).toBe("writtenand again");
    expect(statSync(file).size).toBe(16 * MIB);

    const next = boot({ MACHINEN_SCRATCH_DISK: link });
    expect(await get(next, 3)).toBe("written");
  }, 120_000);

  it("stands between the root disk and those of a mount, as /dev/vdb", async () => {
    newFile(file, 8 * MIB);
    const [root, lower, upper] = ["root", "lower", "upper"].map((name) => join(scratch.path, name));
    for (const image of [root!, upper!]) makeFileSystem(image, 8);
    newFile(lower!, 4096);
    const machine = boot({
      MACHINEN_ROOTDISK: root!,
      MACHINEN_MOUNT_LOWER: lower!,
      MACHINEN_MOUNT_UPPER: upper!,
    });
    expect(await machine.run("cat /sys/block/vd?/serial")).toBe(
      ["root", "scratch", "mount-lower", "mount-upper"].join(""),
    );
    await put(machine, "b", 1, "/dev/vdb");
    expect(fileText(file, 1)).toBe("b");
    expect(await machine.run(`readlink -f ${STABLE}`)).toBe("/dev/vdb\n");
  }, 120_000);

  it("is copied into forks and bundles, which never write to the file; its own machine goes on doing so", async () => {
    newFile(file, 16 * MIB);
    const parent = boot();
    await put(parent, "before", 1);
    const child = keep(parent.fork(scratch.path));
    expect(await get(child, 1)).toBe("before");
    await put(child, "of the child", 1);
    await put(parent, "of the parent", 2);
    expect(fileText(file, 1) + fileText(file, 2)).toBe("beforeof the parent");
    expect((await get(child, 1)) + (await get(child, 2))).toBe("of the child");
    expect((await get(parent, 1)) + (await get(parent, 2))).toBe("beforeof the parent");

    const grandchild = keep(child.fork(scratch.path));
    await put(grandchild, "of the grandchild", 3);
    const second = keep(parent.fork(scratch.path));
    expect((await get(second, 1)) + (await get(second, 2))).toBe("beforeof the parent");
    const bundle = parent.save(join(scratch.path, "bundle"));
    await put(parent, "of the later parent", 2);
    const ofChild = grandchild.save(join(scratch.path, "of-grandchild"));
    await quitAll();
    expect(fileText(file, 1) + fileText(file, 2) + fileText(file, 3)).toBe(
      "beforeof the later parent",
    );
    expect(fileText(join(bundle, "disk0-0.raw"), 2)).toBe("of the parent");

    // Nothing of a bundle needs the file any more.
    truncateSync(file, 0);
    const restored = keep(new Machine(scratch.path, { MACHINEN_INCOMING: `bundle:${bundle}` }));
    expect((await get(restored, 1)) + (await get(restored, 2))).toBe("beforeof the parent");
    const other = keep(new Machine(scratch.path, { MACHINEN_INCOMING: `bundle:${ofChild}` }));
    expect((await get(other, 1)) + (await get(other, 3))).toBe("of the childof the grandchild");
    await put(restored, "of the restored", 1);
    expect(await get(keep(restored.fork(scratch.path)), 1)).toBe("of the restored");
    expect(statSync(file).size).toBe(0);
  }, 300_000);

  it("takes the place of a template's, with its own partitions", async () => {
    newFile(file, 16 * MIB);
    const waiting = makeInitramfs(scratch.path, { wait: true });
    const first = keep(Machine.boot(scratch.path, waiting, { MACHINEN_SCRATCH_DISK: file }));
    expect(await get(first, 0)).toBe("");
    const saved = first.save(join(scratch.path, "template"));
    await first.quit();
    const resume = join(scratch.path, "resume.json");
    writeFileSync(resume, JSON.stringify({ config: {} }));
    // A partition of 8 MiB from sector 2048 on.
    const table = Buffer.alloc(512);
    table.set([0x00, 0, 0, 0, 0x83, 0, 0, 0], 446);
    table.writeUInt32LE(2048, 454);
    table.writeUInt32LE(16384, 458);
    table.writeUInt16LE(0xaa55, 510);
    const partitioned = newFile(join(scratch.path, "partitioned.img"), 16 * MIB);
    const bytes = readFileSync(partitioned);
    table.copy(bytes);
    bytes.write("in the partition", 1 * MIB + 4096);
    writeFileSync(partitioned, bytes);
    const env = { MACHINEN_SCRATCH_DISK: partitioned, MACHINEN_RESUME: resume };
    const machine = keep(Machine.template(scratch.path, saved, env));
    expect(await machine.run("cat /sys/block/vda/vda1/size")).toBe("16384\n");
    expect(await get(machine, 1, "/dev/vda1")).toBe("in the partition");
    await put(machine, "written", 2, "/dev/vda1");
    expect(fileText(partitioned, 256 + 2)).toBe("written");
    const child = keep(machine.fork(scratch.path));
    await put(child, "of the child", 2, "/dev/vda1");
    expect(fileText(partitioned, 256 + 2)).toBe("written");

    const small = newFile(join(scratch.path, "small.img"), MIB);
    const wrong = Machine.template(scratch.path, saved, { MACHINEN_SCRATCH_DISK: small });
    expect((await wrong.ended).code).toBe(4);
    expect(wrong.console).toMatch(/^CONFIG_INVALID: MACHINEN_SCRATCH_DISK: has 1048576 bytes/);
  }, 180_000);

  it("of any size has whole sectors", async () => {
    writeFileSync(file, "x".repeat(1000));
    const machine = boot();
    expect(await machine.run("cat /sys/block/vda/size; cat /dev/vda | tr -d '\\0' | wc -c")).toBe(
      "2\n1000\n",
    );
    await machine.run("printf end | dd of=/dev/vda bs=1 seek=1021 conv=notrunc,fsync");
    const child = keep(machine.fork(scratch.path));
    expect(await child.run("dd if=/dev/vda bs=1 skip=1021 2>/dev/null")).toBe("end");
    expect(readFileSync(file).subarray(1000).toString()).toBe(`${"\0".repeat(21)}end`);
  }, 120_000);

  it("is refused when it cannot be one", async () => {
    const directory = join(scratch.path, "directory");
    mkdirSync(directory);
    const refused = async (path: string) => {
      const machine = boot({ MACHINEN_SCRATCH_DISK: path });
      expect(await machine.ended).toEqual({ code: 2, signal: null });
      return machine.console;
    };
    expect(await refused("/nowhere")).toMatch(
      /^CONFIG_INVALID: MACHINEN_SCRATCH_DISK: \/nowhere: No such/,
    );
    expect(await refused(directory)).toMatch(
      /^CONFIG_INVALID: MACHINEN_SCRATCH_DISK: .*: Is a directory/,
    );
    expect(await refused("/dev/null")).toContain("is no regular file");
    expect(await refused(newFile(join(scratch.path, "tiny.img"), 511))).toContain("has 511 bytes");
    const copy = join(scratch.path, "copy");
    copyFileSync(file, copy);
    const fork = new Machine(scratch.path, {
      MACHINEN_INCOMING: "fork:/nowhere",
      MACHINEN_SCRATCH_DISK: copy,
    });
    expect((await fork.ended).code).toBe(2);
    expect(fork.console).toMatch(/^CONFIG_INVALID: MACHINEN_SCRATCH_DISK: is for new machines/);
  }, 60_000);
});

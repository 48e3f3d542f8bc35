import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { checkSavedDisk } from "../../bench/saved-disk.ts";
import { Machine, makeInitramfs, until } from "./machine.ts";
import { makeFileSystem, saveBooted, useMachines } from "./use-machines.ts";

const { scratch, keep } = useMachines();
const image = join(scratch.path, "disk.raw");
let saved: string;

const start = () => keep(Machine.template(scratch.path, saved));

beforeAll(async () => {
  makeFileSystem(image, 64);
  const prepare = "mkdir -p /mnt && mount -t ext4 /dev/vda /mnt";
  const initrd = makeInitramfs(scratch.path);
  saved = await saveBooted(scratch.path, initrd, prepare, { MACHINEN_ROOTDISK: image });
}, 60_000);

async function layers(machine: Machine): Promise<number> {
  const { disks } = (await machine.control("base")) as unknown as { disks: { layers: number }[] };
  return disks[0]!.layers;
}

/** Each capture adds a layer: so few are left only when they have been joined, be it in between or afterwards. */
const areJoined = async (machine: Machine) => (await layers(machine)) <= 8;

async function capture(machine: Machine): Promise<void> {
  expect(await machine.control("capture delta")).toMatchObject({ ok: true });
}

/** What e2fsck says of the machine's disk as it is saved now. */
const fsck = (machine: Machine): string =>
  checkSavedDisk(machine.save(join(scratch.path, `fsck-${machine.process.pid}`)));

const writer =
  "i=0; while :; do i=$((i+1)); dd if=/dev/urandom of=/mnt/$((i % 20)) bs=64k count=4 2>/dev/null; md5sum /mnt/$((i % 20)) > /mnt/sum.$((i % 20)); sync; done";

describe("a chain of disk layers", () => {
  it("is joined in the background and keeps every write, in the machine and in its forks", async () => {
    const machine = start();
    const sums: string[] = [];
    for (let round = 0; round < 12; round++) {
      await machine.run(
        `dd if=/dev/urandom of=/mnt/f${round} bs=64k count=8 2>/dev/null; md5sum /mnt/f${round} >> /mnt/sums; sync`,
      );
      await capture(machine);
    }
    sums.push(await machine.run("cat /mnt/sums"));
    const before = keep(machine.fork(scratch.path));
    await before.run("true");
    await until("the layers to be joined", () => areJoined(machine), 60_000);
    const after = keep(machine.fork(scratch.path));
    await after.run("true");
    const bundle = join(scratch.path, "joined");
    machine.save(bundle);
    const restored = keep(new Machine(scratch.path, { MACHINEN_INCOMING: `bundle:${bundle}` }));
    await restored.run("true");
    for (const one of [machine, before, after, restored]) {
      expect(
        await one.run(
          "echo 3 > /proc/sys/vm/drop_caches; cd /mnt; md5sum -c sums | grep -vc OK; true",
        ),
      ).toBe("0\n");
      await one.run("cd /; umount /mnt");
      expect(fsck(one)).toContain("Pass 5");
    }
  }, 180_000);

  it("may be joined while a child waits for its order over the layers that were", async () => {
    const machine = start();
    await machine.run("echo one > /mnt/one; sync");
    const child = keep(machine.fork(scratch.path, { MACHINEN_FORK_WAIT: "1" }));
    await until("the child to be ready", () => child.stdout === "ready\n");
    for (let round = 0; round < 9; round++) await capture(machine);
    await until("the layers to be joined", () => areJoined(machine), 60_000);
    await machine.run("echo two > /mnt/two; sync");
    child.process.stdin!.write("{}\n");
    const read = "echo 3 > /proc/sys/vm/drop_caches; cat /mnt/one /mnt/two";
    expect(await child.run(read)).toBe("one\ntwo\n");
    for (let round = 0; round < 9; round++) await capture(child);
    await until("the child's to be joined", () => areJoined(child), 60_000);
    expect(await child.run(read)).toBe("one\ntwo\n");
    await child.run("umount /mnt");
    expect(fsck(child)).toContain("Pass 5");
  }, 120_000);

  it("never gets too long, however often a written disk is captured", async () => {
    const machine = start();
    await machine.run("true");
    const connection = await machine.connect("exec");
    connection.write(`EXEC2 ${writer.length}\n${writer}`);
    let most = 0;
    for (let round = 0; round < 90; round++) {
      await capture(machine);
      most = Math.max(most, await layers(machine));
    }
    expect(most).toBeLessThan(50);
    const child = keep(machine.fork(scratch.path));
    await child.run("true");
    connection.destroy();
    for (const one of [machine, child]) {
      await until("the writer to end", async () => (await one.exec("umount /mnt")).code === 0);
      expect(fsck(one)).toContain("Pass 5");
    }
  }, 240_000);
});

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { checkSavedDisk } from "../../bench/saved-disk.ts";
import { Machine, makeInitramfs, until } from "./machine.ts";
import { makeFileSystem, useMachines } from "./use-machines.ts";

const { scratch, keep } = useMachines();
const image = join(scratch.path, "disk.raw");
let initrd: string;
let imageSum: string;

const boot = (env: Record<string, string> = {}) =>
  keep(Machine.boot(scratch.path, initrd, { MACHINEN_ROOTDISK: image, ...env }));
const fork = (machine: Machine) => keep(machine.fork(scratch.path));
const sum = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

beforeAll(() => {
  initrd = makeInitramfs(scratch.path);
  makeFileSystem(image, 64);
  imageSum = sum(image);
});

/** What e2fsck says of the machine's disk as it is saved now. */
const checkDisk = (machine: Machine): string =>
  checkSavedDisk(machine.save(join(scratch.path, `bundle-${machine.process.pid}`)));

describe("a disk", () => {
  it("is as large as asked for, writable, and its image is never touched", async () => {
    const machine = boot({ MACHINEN_ROOTDISK_SIZE: String(3 * 1024 ** 3) });
    expect(await machine.run("cat /sys/block/vda/size")).toBe(`${(3 * 1024 ** 3) / 512}\n`);
    await machine.run(
      "mkdir -p /mnt && mount -t ext4 /dev/vda /mnt && echo hello > /mnt/file && sync",
    );
    await machine.quit();
    expect(sum(image)).toBe(imageSum);
  }, 60_000);

  it("in a fork has what was written before and nothing of what is written after, at any depth", async () => {
    const first = boot();
    await first.run(
      "mkdir -p /mnt && mount -t ext4 /dev/vda /mnt && dd if=/dev/urandom of=/mnt/big bs=1M count=8 2>/dev/null && echo before > /mnt/file",
    );
    const big = await first.run("md5sum /mnt/big");
    const second = fork(first);
    expect(await second.run("cat /mnt/file")).toBe("before\n");
    await second.run(
      "echo child > /mnt/file; echo 1 > /mnt/only-child; sync; echo 3 > /proc/sys/vm/drop_caches",
    );
    await first.run(
      "echo parent > /mnt/file; dd if=/dev/zero of=/mnt/big bs=1M count=8 2>/dev/null; sync; echo 3 > /proc/sys/vm/drop_caches",
    );
    expect(await second.run("cat /mnt/file; md5sum /mnt/big")).toBe(`child\n${big}`);
    expect(await first.run("cat /mnt/file; ls /mnt")).toBe("parent\nbig\nfile\nlost+found\n");

    const third = fork(second);
    await third.run("echo 3 > /proc/sys/vm/drop_caches");
    expect(await third.run("cat /mnt/file /mnt/only-child; md5sum /mnt/big")).toBe(
      `child\n1\n${big}`,
    );
    const sibling = fork(first);
    expect(await sibling.run("echo 3 > /proc/sys/vm/drop_caches; cat /mnt/file")).toBe("parent\n");
    for (const machine of [first, second, third, sibling]) {
      await machine.run("umount /mnt");
      expect(checkDisk(machine)).toContain("Pass 5");
    }
    expect(sum(image)).toBe(imageSum);
  }, 180_000);

  it("survives many captures while it is written, and a restore from a bundle", async () => {
    const machine = boot();
    await machine.run("mkdir -p /mnt && mount -t ext4 /dev/vda /mnt");
    const writer = await machine.connect("exec");
    writer.write(
      "EXEC i=0; while :; do i=$((i+1)); echo $i > /mnt/n.tmp; sync; mv /mnt/n.tmp /mnt/n; done\n",
    );
    await until("the first write", async () => (await machine.exec("test -s /mnt/n")).code === 0);
    let last = 0;
    for (let round = 0; round < 5; round++) {
      const child = fork(machine);
      const seen = Number(await child.run("cat /mnt/n"));
      expect(seen).toBeGreaterThanOrEqual(last);
      last = seen;
      await child.quit();
    }
    writer.destroy();
    await machine.run("umount /mnt || (sleep 1; umount /mnt)");
    expect(checkDisk(machine)).toContain("Pass 5");

    const bundle = join(scratch.path, `bundle-${machine.process.pid}`);
    await machine.quit();
    const restored = keep(new Machine(scratch.path, { MACHINEN_INCOMING: `bundle:${bundle}` }));
    await restored.run("echo 3 > /proc/sys/vm/drop_caches; mount -t ext4 /dev/vda /mnt");
    expect(Number(await restored.run("cat /mnt/n"))).toBeGreaterThanOrEqual(last);
    const again = fork(restored);
    expect(Number(await again.run("cat /mnt/n"))).toBeGreaterThanOrEqual(last);
  }, 180_000);

  it("that is smaller than its image is refused", async () => {
    const machine = boot({ MACHINEN_ROOTDISK_SIZE: "1048576" });
    expect(await machine.ended).toEqual({ code: 2, signal: null });
    expect(machine.console).toBe(
      "CONFIG_INVALID: MACHINEN_ROOTDISK_SIZE: is smaller than the image\n",
    );
  });
});

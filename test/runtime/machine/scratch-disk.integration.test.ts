import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import { planBoot } from "../../../src/runtime/machine/plan-boot.ts";
import { prepareBoot } from "../../../src/runtime/machine/prepared-boot.ts";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
import { restore } from "../../../src/runtime/snapshot/restore.ts";
import { bases } from "./bases.ts";
import { rejection, useScratch } from "./scratch.ts";

const scratch = useScratch();
const file = join(scratch.path, "disk.img");

const write = (vm: Machine, text: string, disk = "/dev/disk/by-id/virtio-scratch") =>
  vm.exec(`printf '${text}\\n' | dd of=${disk} conv=notrunc,fsync 2>/dev/null`);
const read = async (vm: Machine) =>
  (
    await vm.exec("echo 3 > /proc/sys/vm/drop_caches; head -n 1 /dev/disk/by-id/virtio-scratch")
  ).stdout.trim();
const onHost = () => readFileSync(file, "utf8").split("\n")[0];

beforeEach(() => {
  writeFileSync(file, "the caller's\n");
  truncateSync(file, 4 << 20);
});
afterAll(async () => {
  for (const { pid } of list()) await (await attach({ pid })).kill();
  expect(scratch.runDirs()).toEqual([]);
  scratch.remove();
});

describe.each(bases)("on the $name base", (base) => {
  const options = { ...base.options, snapshot: file };

  test("boot({ snapshot: file }) makes it a disk of the guest, which copies of the machine do not write to", {
    timeout: 300_000,
  }, async () => {
    const vm = await boot({ ...options, name: "owner" });
    expect(readEntry(vm.pid)).toMatchObject({ diskPath: file, templateKey: expect.any(String) });
    expect(await read(vm)).toBe("the caller's");
    await write(vm, "of the guest");
    expect(onHost()).toBe("of the guest");

    const error = await rejection(boot({ ...options, name: "second" }));
    expect(error).toMatchObject({
      code: "BOOT_SNAPSHOT_IN_USE",
      retryable: true,
      message: `snapshot: ${file}: is in use by owner (pid ${vm.pid})`,
    });

    const forks = [await vm.fork(), ...(await vm.forkMany(2))];
    for (const [index, fork] of forks.entries()) {
      expect(await read(fork)).toBe("of the guest");
      expect(readEntry(fork.pid)?.diskPath).toBeUndefined();
      await write(fork, `${index}`);
    }
    await write(vm, "later");
    expect(await Promise.all(forks.map(read))).toEqual(["0", "1", "2"]);
    const { snapDir } = await forks[2]!.snapshot({
      outDir: join(scratch.path, `${base.name}-of-fork`),
    });
    await Promise.all(forks.slice(0, 2).map((fork) => fork.kill()));

    const saved = await vm.snapshot({ outDir: join(scratch.path, `${base.name}-bundle`) });
    expect(onHost()).toBe("later");
    const restored = await Promise.all(
      [saved.snapDir, snapDir].map((dir) => restore({ snapDir: dir })),
    );
    expect(await Promise.all(restored.map(read))).toEqual(["later", "2"]);
    for (const copy of restored) await write(copy, "restored");

    // The machine has ended: the file is free, and the same template serves again.
    const next = await boot({ ...options, detached: true });
    expect(readEntry(next.pid)?.templateKey).toEqual(expect.any(String));
    expect(await read(next)).toBe("later");
    expect(onHost()).toBe("later");
    await Promise.all([...restored, next].map((one) => one.kill()));
  });

  test("is /dev/vdb beside a root disk and a mount", { timeout: 300_000 }, async () => {
    const mount = { host: join(scratch.path, "vms"), guest: "/mnt/vms" };
    const vm = await boot({ ...options, rootDisk: true, mount });
    await write(vm, "second", "/dev/vdb");
    expect(onHost()).toBe("second");
    expect((await vm.exec("readlink -f /dev/disk/by-id/virtio-scratch")).stdout).toBe("/dev/vdb\n");
    await vm.kill();
    expect(onHost()).toBe("second");
  });

  test("a boot with one is none that could be prepared, and needs no command", async () => {
    expect(await prepareBoot(options)).toBe(false);
    const { guest } = planBoot({ image: base.name, snapshot: file });
    expect(guest?.cmd).toEqual(["/sbin/machinen-restore"]);
  });
});

import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { until } from "../../vmm/machine.ts";
import { describeLiveMounts, minutes, say } from "./live-mount-machine.ts";

describeLiveMounts(({ machine, path, work }) => {
  let vm: Machine;
  beforeAll(() => {
    vm = machine();
  });

  test("keeps what POSIX and Linux promise of a file system", { timeout: minutes }, async () => {
    expect(await say(vm, "mkdir /mnt/work/cases && /mnt/tools/cases /mnt/work/cases")).toBe(
      "24 cases, 0 broken",
    );
    rmSync(join(work, "cases"), { recursive: true });
  });

  test.each([1, 2])("one file, random operations, seed %d", { timeout: minutes }, async (seed) => {
    expect(await say(vm, `/mnt/tools/exercise /mnt/work/exercised ${seed} 250`)).toBe("");
    rmSync(join(work, "exercised"));
  });

  test("several processes at once", { timeout: minutes }, async () => {
    const run = "mkdir /mnt/work/stress && /mnt/tools/stress /mnt/work/stress 4 200";
    expect(await say(vm, run)).toBe("");
    expect(readFileSync(join(work, "stress", "kept-3-192"), "utf8")).toBe("192 of 3");
    rmSync(join(work, "stress"), { recursive: true });
  });

  test("what either side writes the other reads", async () => {
    await vm.exec("echo guest > /mnt/work/shared; chmod 640 /mnt/work/shared");
    const file = join(work, "shared");
    expect(readFileSync(file, "utf8")).toBe("guest\n");
    const { mode, uid } = statSync(file);
    expect([mode & 0o777, uid]).toEqual([0o640, process.getuid!()]);
    writeFileSync(file, "the host, and more\n");
    writeFileSync(join(work, "new"), "at once\n");
    expect(await say(vm, "cat /mnt/work/new")).toBe("at once");
    await until("the host's words", async () => {
      return (await say(vm, "cat /mnt/work/shared")) === "the host, and more";
    });
    rmSync(file);
    await until("the file to be gone", async () =>
      (await say(vm, "cat /mnt/work/shared")).includes("No such file"),
    );
    rmSync(join(work, "new"));
  });

  test("what the host has just replaced is not written to", async () => {
    const file = join(work, "replaced");
    for (let round = 0; round < 5; round++) {
      writeFileSync(file, "old\n");
      await vm.exec("cat /mnt/work/replaced");
      rmSync(file);
      if (round % 2 === 0) writeFileSync(file, "new\n");
      await vm.exec("echo more >> /mnt/work/replaced");
      expect(readFileSync(file, "utf8")).toBe(round % 2 === 0 ? "new\nmore\n" : "more\n");
    }
    rmSync(file);
  });

  test("a read-only one is not written to", async () => {
    expect(await say(vm, "touch /mnt/tools/x")).toContain("Read-only file system");
    expect(await say(vm, "rm /mnt/tools/cases")).toContain("Read-only file system");
    // The guest may remount what it likes: the server has the last word.
    await vm.exec("mount -o remount,rw,bind /mnt/tools");
    expect(await say(vm, "echo x > /mnt/tools/x")).toContain("Read-only file system");
    await vm.exec("mount -o remount,ro,bind /mnt/tools");
  });

  test("a link to the outside leads to the guest's own files", async () => {
    writeFileSync(join(path, "secret"), "secret");
    const outside = join(path, "secret");
    await vm.exec(`ln -s ${outside} /mnt/work/l; ln -s ../secret /mnt/work/m`);
    expect(await say(vm, "cat /mnt/work/l /mnt/work/m")).not.toContain("secret\n");
    expect(await say(vm, "cat /mnt/work/../secret")).toContain("No such file");
    expect(await say(vm, "mknod /mnt/work/null c 1 3")).toContain("Operation not permitted");
    await vm.exec("rm /mnt/work/l /mnt/work/m");
  });

  test("a directory of 4,000 files is listed whole", { timeout: minutes }, async () => {
    mkdirSync(join(work, "many"));
    for (let i = 0; i < 4_000; i++) writeFileSync(join(work, "many", `file-${i}`), "");
    expect(await say(vm, "ls /mnt/work/many | sort -u | wc -l")).toBe("4000");
    expect(await say(vm, "find /mnt/work/many -type f | wc -l")).toBe("4000");
    rmSync(join(work, "many"), { recursive: true });
  });

  test("several requests are on their way at once: one that waits keeps nobody", async () => {
    // Nobody writes into the pipe, so its reader waits; on the mount it is a name only.
    await vm.exec("mkfifo /mnt/work/p; (cat /mnt/work/p >/dev/null 2>&1 &)");
    expect(await say(vm, "echo on > /mnt/work/q; cat /mnt/work/q")).toBe("on");
    await vm.exec("echo > /mnt/work/p; rm /mnt/work/p /mnt/work/q");
  });
});

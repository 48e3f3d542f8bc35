import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { vmmStatus } from "../../../src/runtime/control/vmm-control.ts";
import {
  ensureRootfsImage,
  resolveImage,
  rootfsImgCacheDir,
} from "../../../src/runtime/images/index.ts";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import { bootSnapshotPath } from "../../../src/runtime/machine/boot-log.ts";
import { collectGarbage } from "../../../src/runtime/machine/gc.ts";
import {
  identify,
  isRunning,
  type ProcessIdentity,
  waitUntilGone,
} from "../../../src/runtime/machine/process-identity.ts";
import { runRoot } from "../../../src/runtime/machine/run-dir.ts";
import type { VmHandle } from "../../../src/runtime/machine/vm-handle.ts";
import { readBalloonStats, STATS_FILE_SIZE } from "../../../src/runtime/memory/index.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
import { restore } from "../../../src/runtime/snapshot/restore.ts";
import { bases } from "./bases.ts";
import { runInOtherProcess } from "./other-process.ts";
import { rejection, useScratch } from "./scratch.ts";

const scratch = useScratch();

afterAll(async () => {
  for (const { pid } of list()) await (await attach({ pid })).kill();
  const left = existsSync(runRoot()) ? scratch.runDirs() : [];
  scratch.remove();
  expect(left).toEqual([]);
});

async function processesOf(vm: VmHandle): Promise<ProcessIdentity[]> {
  const { qemuPid } = await vmmStatus(readEntry(vm.pid)!.controlPath!);
  return [identify(vm.pid)!, identify(qemuPid!)!];
}

describe.each(bases)("a real machine of the $name base", ({ options }) => {
  let vm: VmHandle;

  beforeAll(async () => {
    const creator = await runInOtherProcess(
      `import { boot } from "./machine/boot.ts";
       const vm = await boot({ ...${JSON.stringify(options)}, env: { GREETING: "hello" }, name: "base", detached: true });
       console.log(vm.pid);`,
    );
    if (creator.process.exitCode === null) await once(creator.process, "exit");
    vm = await attach({ name: "base" });
  });
  afterAll(async () => vm?.kill());

  test("outlives the process that booted it and keeps its boot console", async () => {
    expect((await vm.exec("uname -s; hostname")).stdout).toBe("Linux\nbase\n");
    expect(readFileSync(bootSnapshotPath(vm.pid), "utf8")).toContain("machinen: ready");
    expect(readEntry(vm.pid)).toMatchObject({
      memoryCeilingMib: options.memory,
      imagePath: resolveImage(options.image!),
      hostname: "base",
    });
  });

  test("runs commands and tells their exit codes", async () => {
    expect(await vm.execRaw("echo out; echo err >&2; exit 7")).toEqual({
      exitCode: 7,
      stdout: "out\n",
      stderr: "err\n",
    });
    expect((await vm.execRaw("kill -9 $$")).exitCode).toBe(137);
    const error = await rejection(vm.exec("echo why >&2; exit 3"));
    expect(error.code).toBe("EXEC_NONZERO_EXIT");
    expect(error.message).toContain("why");
  });

  test("logs the output of commands", async () => {
    const seen: string[] = [];
    const watched = await attach({
      pid: vm.pid,
      onLog: (e) => e.source !== "phase" && seen.push(`${e.source} ${e.cmd} ${e.chunk}`),
    });
    const command = "echo a; sleep 0.1; echo b >&2";
    await watched.exec(command);
    expect(seen).toEqual([`exec-stdout ${command} a\n`, `exec-stderr ${command} b\n`]);
  });

  test("writes files of any size and content", async () => {
    const contents = Buffer.alloc(200_000, Buffer.from([0, 255, 10, 39]));
    await vm.writeFile("/work/a b/data", contents, { mode: 0o640 });
    const { stdout } = await vm.exec("wc -c < '/work/a b/data'; stat -c %a '/work/a b/data'");
    expect(stdout.split("\n")).toEqual(["200000", "640", ""]);
    expect((await rejection(vm.writeFile("/proc/none/x", "x"))).code).toBe("EXEC_NONZERO_EXIT");
  });

  test("its memory is counted with its QEMU's", async () => {
    const stats = await vm.memoryStats();
    expect(stats.ceilingMib).toBe(options.memory);
    expect(stats.hostRssBytes).toBeGreaterThan(30 * 1024 * 1024);
    const { statsPath } = readEntry(vm.pid)!;
    expect(statSync(statsPath!).size).toBe(STATS_FILE_SIZE);
    expect(readBalloonStats(statsPath!)).toMatchObject({
      bytesInflated: 0,
      hostPhysFootprintBytes: 0,
    });
  });

  test("kill leaves no process, socket or directory", async () => {
    const fork = await vm.fork();
    const processes = await processesOf(fork);
    await fork.kill();
    expect(processes.filter(isRunning)).toEqual([]);
    expect(scratch.runDirs().length).toBe(1);
    expect(list().map((entry) => entry.pid)).toEqual([vm.pid]);
  });

  test("the VMM killed from outside takes its QEMU along; gc removes the rest", async () => {
    const fork = await vm.fork({ detached: true, name: "victim" });
    const processes = await processesOf(fork);
    process.kill(fork.pid, "SIGKILL");
    expect(await waitUntilGone(processes, 60_000)).toBe(true);
    expect(list().map((entry) => entry.pid)).toEqual([vm.pid]);
    collectGarbage();
    expect(scratch.runDirs().length).toBe(1);
    const namesake = await vm.fork({ detached: true, name: "victim" });
    await namesake.kill();
  });

  test("QEMU killed from outside ends its VMM, which cleans up", async () => {
    const fork = await vm.fork({ detached: true });
    const processes = await processesOf(fork);
    process.kill(processes[1]!.pid, "SIGKILL");
    expect(await waitUntilGone(processes, 60_000)).toBe(true);
    collectGarbage();
    expect(scratch.runDirs().length).toBe(1);
  });

  test("a command is the machine's purpose: its output is the console, its end the machine's", async () => {
    const job = await boot({
      ...options,
      // Until it is told to, it does not end: a machine is soon gone with its command.
      cmd: ["/bin/sh", "-c", "echo $GREETING from $PWD; read line"],
      env: { GREETING: "hi" },
      guestCwd: "/tmp",
    });
    expect(list().map((entry) => entry.pid)).toContain(job.pid);
    job.stdin.write("on\n");
    expect(await job.wait()).toEqual({ code: 0, signal: null });
    expect(await job.errorOutput()).toContain("hi from /tmp");
    expect(await job.errorOutput()).not.toContain("working directory");
  });
});

test.each(bases)(
  "a machine of the $name base has as many processors as asked for, and so have its forks",
  async ({ options }) => {
    const vm = await boot({ ...options, cpus: 3 });
    expect((await vm.exec("nproc")).stdout).toBe("3\n");
    const fork = await vm.fork({ cpus: 3, memory: options.memory });
    expect((await fork.exec("nproc")).stdout).toBe("3\n");
    const error = await rejection(fork.fork({ cpus: 2 }));
    expect(error.code).toBe("BOOT_CPUS_INVALID");
    expect(error.message).toMatch(/goes on with the 3 of its source; leave cpus out/);
    await Promise.all([fork.kill(), vm.kill()]);
  },
);

describe.each(bases)("a machine of the $name base on a disk", (base) => {
  const onDisk = { ...base.options, rootDisk: true };

  test("as small as asked for; one that is too small for its image is refused and leaves nothing", async () => {
    const small = { ...onDisk, template: false };
    const vm = await boot({ ...small, rootDiskSizeBytes: base.smallDiskBytes });
    const { stdout } = await vm.exec("blockdev --getsize64 /dev/vda; df -k / | tail -n 1");
    const [size, kib] = /^(\d+)\n\S+ +(\d+) /.exec(stdout)!.slice(1).map(Number);
    expect(size).toBe(Math.ceil(base.smallDiskBytes / 4096) * 4096);
    expect(kib! * 1024).toBeGreaterThan(size! * 0.8);
    expect(kib! * 1024).toBeLessThan(size!);
    const environment = readFileSync(`/proc/${vm.pid}/environ`, "utf8");
    const disk = /\0MACHINEN_ROOTDISK=([^\0]+)/.exec(environment)![1]!;
    expect([dirname(disk), basename(disk)]).toEqual([
      rootfsImgCacheDir(),
      expect.stringMatching(/^[0-9a-f]{64}\b.*\.img$/),
    ]);
    const before = [list(), scratch.runDirs()];
    const error = await rejection(boot({ ...small, name: "narrow", rootDiskSizeBytes: 400_000 }));
    expect(error.code).toBe("BOOT_PACK_FAILED");
    expect(error.message).toContain("does not fit on a disk of 401408 bytes");
    expect([list(), scratch.runDirs()]).toEqual(before);
    await (await vm.fork({ name: "narrow" })).kill();
    await vm.kill();
  });

  test("may be one of the caller's own, which is left as it is", async () => {
    const made = {
      cacheDir: join(scratch.path, `${base.name}-disks`),
      minSizeBytes: base.smallDiskBytes,
    };
    const rootDisk = ensureRootfsImage(resolveImage(base.name), made);
    const checksum = () => createHash("sha256").update(readFileSync(rootDisk)).digest("hex");
    const before = checksum();
    const vm = await boot({ ...onDisk, rootDisk });
    const look = "cat /root/own; awk '$2 == \"/\" { print $1, $3 }' /proc/mounts | tail -n 1";
    expect((await vm.exec(`echo mine > /root/own; sync; ${look}`)).stdout).toBe(
      "mine\n/dev/vda ext4\n",
    );
    await vm.kill();
    expect(checksum()).toBe(before);
  });

  test("is writable; forks get their own; the image stays as it was", async () => {
    const vm = await boot({ ...onDisk, rootDiskSizeBytes: 3 * 1024 ** 3 });
    const { stdout } = await vm.exec("grep ' / ext4 ' /proc/mounts; blockdev --getsize64 /dev/vda");
    expect(stdout).toMatch(new RegExp(`^/dev/vda / ext4 rw.*\\n${3 * 1024 ** 3}\\n$`));
    // The file system has grown to its disk.
    const [, mib] = (await vm.exec("df -m / | tail -n 1")).stdout.split(/ +/).map(Number);
    expect(mib).toBeGreaterThan(2800);
    // What the VMM is told is not the guest's to see.
    expect((await vm.exec("env; cat /proc/1/environ")).stdout).not.toContain("MACHINEN_");
    await vm.exec("echo parent > /root/file && sync");
    const fork = await vm.fork({ detached: true });
    expect((await fork.exec("cat /root/file")).stdout).toBe("parent\n");
    await fork.exec("echo fork > /root/file && sync");
    expect((await vm.exec("cat /root/file")).stdout).toBe("parent\n");
    const { snapDir } = await fork.snapshot({
      outDir: join(scratch.path, `${base.name}-disk-bundle`),
    });
    await vm.kill();
    const restored = await restore({ snapDir });
    expect(
      (await restored.exec("cat /root/file; sha256sum $(readlink -f /bin/sh)")).stdout,
    ).toMatch(/^fork\n[0-9a-f]{64}/);
    expect(statSync(join(snapDir, "img", "vmm.json")).size).toBeGreaterThan(0);
    await restored.kill();
  });
});

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { packageRoot } from "../../../src/runtime/package-root.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
import { restore } from "../../../src/runtime/snapshot/restore.ts";
import { isAlive, until } from "../../vmm/machine.ts";
import { rejection, useScratch } from "../machine/scratch.ts";

const scratch = useScratch();
const [work, tools] = [join(scratch.path, "work"), join(scratch.path, "tools")];
const programs = join(packageRoot(), "test/runtime/mounts/programs");
const minutes = 180_000;
let vm: Machine;

beforeAll(async () => {
  for (const directory of [work, tools]) mkdirSync(directory);
  for (const source of readdirSync(programs).filter((name) => name.endsWith(".c"))) {
    const out = join(tools, basename(source, ".c"));
    const flags = ["-D_GNU_SOURCE", "-std=gnu17", "-O1", "-static", "-Wall", "-Wextra", "-Werror"];
    execFileSync("cc", [...flags, "-o", out, join(programs, source)]);
  }
  vm = await boot({
    image: "tiny",
    rootDisk: false,
    memory: 256,
    cmd: [],
    name: "base",
    detached: true,
    liveMounts: [
      { host: work, guest: "/mnt/work" },
      { host: tools, guest: "/mnt/tools", mode: "ro" },
    ],
  });
}, minutes);

afterAll(async () => {
  for (const { pid } of list()) await (await attach({ pid })).kill();
  const left = scratch.runDirs();
  scratch.remove();
  expect(left).toEqual([]);
});

/** The file servers of a machine. */
function serversOf({ pid }: Machine): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children
    .split(" ")
    .map(Number)
    .filter((child) => child > 0)
    .filter((child) => readFileSync(`/proc/${child}/cmdline`, "utf8").includes("serve-mount"));
}

async function say(machine: Machine, command: string): Promise<string> {
  const { stdout, stderr, exitCode } = await machine.execRaw(command, {
    execTimeoutMs: minutes,
  });
  return exitCode === 0 ? stdout.trim() : `${stdout}${stderr}exit ${exitCode}`.trim();
}

describe("a live mount", () => {
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
    writeFileSync(join(scratch.path, "secret"), "secret");
    const outside = join(scratch.path, "secret");
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

/** A process that has a file open, works in a directory of the mount and writes when it is told to. */
const holder =
  "mkdir -p /mnt/work/held && cd /mnt/work/held && echo start > log && echo doomed > doomed && " +
  "(exec 3>>log 4<doomed 5<log; rm doomed; " +
  'while :; do [ -e /tmp/go ] && { read -r line <&5; echo "$line" > /tmp/read; cat <&4 > /tmp/doomed 2>&1; ' +
  "hostname >&3; pwd > here-$(hostname); rm /tmp/go; }; sleep 0.1; done) >/dev/null 2>&1 </dev/null &";

async function go(machine: Machine): Promise<void> {
  await machine.exec("touch /tmp/go; while [ -e /tmp/go ]; do sleep 0.1; done");
}

describe("a machine made from one with live mounts", () => {
  const log = () => readFileSync(join(work, "held", "log"), "utf8");
  let snapDir: string;

  beforeAll(async () => {
    await vm.exec(holder);
    await until("the files to be held", async () =>
      (await say(vm, "ls /mnt/work/held")).includes("log"),
    );
    await until(
      "the doomed file to go",
      async () => !(await say(vm, "ls /mnt/work/held")).includes("doomed"),
    );
    ({ snapDir } = await vm.snapshot({ outDir: join(scratch.path, "bundle"), leaveRunning: true }));
  }, minutes);

  test("a fork goes on with the files its processes hold, as does its source", async () => {
    const fork = await vm.fork({ name: "fork", detached: true });
    expect(readEntry(fork.pid)?.liveMounts).toEqual(readEntry(vm.pid)?.liveMounts);
    expect(serversOf(fork).length).toBe(2);
    expect(serversOf(fork)).not.toEqual(serversOf(vm));
    await Promise.all([go(fork), go(vm)]);
    expect(log().split("\n").sort()).toEqual(["", "base", "fork", "start"]);
    expect(readdirSync(join(work, "held")).sort()).toEqual(["here-base", "here-fork", "log"]);
    expect(await say(fork, "cat /tmp/read")).toBe("start");
    // Who removed the last name took the file along; the source still holds it.
    expect(await say(fork, "cat /tmp/doomed")).toMatch(/Stale/i);
    expect(await say(vm, "cat /tmp/doomed")).toBe("doomed");
    expect(await say(fork, "touch /mnt/tools/x")).toContain("Read-only file system");
    const grandchild = await fork.fork({ name: "grandchild", detached: true });
    await go(grandchild);
    expect(log()).toContain("grandchild\n");
    await Promise.all([fork.kill(), grandchild.kill()]);
  });

  test("a prepared fork too", async () => {
    await vm.prepareFork();
    const fork = await vm.fork({ name: "prepared", detached: true });
    expect(await say(fork, "cat /mnt/work/held/log")).toContain("start");
    await go(fork);
    expect(log()).toContain("prepared\n");
    await fork.kill();
  });

  test("forks under load lose nothing", { timeout: minutes }, async () => {
    await vm.exec(
      "mkdir /mnt/work/load; (i=0; while [ ! -e /tmp/stop ]; do i=$((i+1)); echo $i > /mnt/work/load/$(hostname)-$i; done) >/dev/null 2>&1 </dev/null &",
    );
    const forks = await vm.forkMany(3, { names: ["one", "two", "three"], detached: true });
    for (const machine of [vm, ...forks]) {
      const { name } = machine;
      await until(`${name} to write`, () =>
        readdirSync(join(work, "load")).some((file) => file.startsWith(`${name}-`)),
      );
      await machine.exec("touch /tmp/stop; while pidof hostname; do sleep 0.1; done; sleep 0.5");
    }
    for (const file of readdirSync(join(work, "load"))) {
      const number = /-(\d+)$/.exec(file)![1];
      expect(readFileSync(join(work, "load", file), "utf8"), file).toBe(`${number}\n`);
    }
    await Promise.all(forks.map((fork) => fork.kill()));
    await vm.exec("rm -r /mnt/work/load");
  });

  test("a restored one finds its files again", async () => {
    const meta = JSON.parse(readFileSync(join(snapDir, "meta.json"), "utf8"));
    expect(meta.liveMounts).toEqual([
      { guest: "/mnt/work", host: work, mode: "rw" },
      { guest: "/mnt/tools", host: tools, mode: "ro" },
    ]);
    const restored = await restore({ snapDir, name: "restored", detached: true });
    await go(restored);
    expect(log()).toContain("restored\n");
    await restored.kill();
  });

  test("a restored one goes on in a copy of the directory, if it is told so", async () => {
    const copy = join(scratch.path, "copy");
    cpSync(work, copy, { recursive: true });
    writeFileSync(join(copy, "held", "log"), "elsewhere\n");
    const moved = await restore({
      snapDir,
      name: "moved",
      detached: true,
      liveMounts: [{ guest: "/mnt/work", host: copy }],
    });
    await go(moved);
    expect(readFileSync(join(copy, "held", "log"), "utf8")).toBe("elsewhere\nmoved\n");
    expect(log()).not.toContain("moved");
    expect(readEntry(moved.pid)?.liveMounts?.[0]?.host).toBe(copy);
    await moved.kill();
  });

  test("a directory that is not there, or was never a live mount, is refused", async () => {
    const nowhere = [{ guest: "/mnt/work", host: "/nowhere" }];
    const unknown = [{ guest: "/mnt/other", host: work }];
    for (const make of [
      (liveMounts: typeof nowhere) => restore({ snapDir, liveMounts }),
      (liveMounts: typeof nowhere) => vm.fork({ liveMounts }),
    ]) {
      expect((await rejection(make(nowhere))).code).toBe("BOOT_MOUNT_HOST_NOT_FOUND");
      expect((await rejection(make(unknown))).code).toBe("BOOT_LIVE_MOUNT_OVERRIDE_UNKNOWN");
    }
  });

  test("a machine without any can be forked with some", async () => {
    const plain = await boot({
      image: "tiny",
      rootDisk: false,
      memory: 256,
      cmd: [],
      detached: true,
    });
    const fork = await plain.fork({
      detached: true,
      liveMounts: [{ host: tools, guest: "/mnt/later", mode: "ro" }],
    });
    expect(await say(fork, "ls /mnt/later")).toContain("cases");
    await Promise.all([plain.kill(), fork.kill()]);
  });
});

describe("ends", () => {
  test("a server that is killed leaves errors, not hanging processes; the machine goes on", async () => {
    const fork = await vm.fork({ detached: true });
    const [first, second] = serversOf(fork);
    for (const pid of [first!, second!]) process.kill(pid, "SIGKILL");
    await until("the mount to end", async () =>
      /not connected|aborted|I\/O error/.test(await say(fork, "cat /mnt/work/held/log")),
    );
    expect(await say(fork, "echo lives")).toBe("lives");
    const grandchild = await fork.fork({ detached: true });
    expect(await say(grandchild, "echo lives")).toBe("lives");
    await Promise.all([fork.kill(), grandchild.kill()]);
  });

  test("a machine that is killed takes its servers along", async () => {
    const fork = await vm.fork({ detached: true });
    const servers = serversOf(fork);
    expect(servers.length).toBe(2);
    process.kill(fork.pid, "SIGKILL");
    await until("the servers to end", () => !servers.some(isAlive));
  });

  test("the command's directory may be a live mount; power-off keeps what was mapped", async () => {
    const job = await boot({
      image: "tiny",
      rootDisk: false,
      memory: 256,
      cmd: ["/bin/sh", "-c", "pwd > where; /mnt/tools/holdmap mapped & sleep 1"],
      guestCwd: "/mnt/job",
      liveMounts: [
        { host: join(work, "held"), guest: "/mnt/job" },
        { host: tools, guest: "/mnt/tools", mode: "ro" },
      ],
    });
    expect(await job.wait()).toEqual({ code: 0, signal: null });
    expect(readFileSync(join(work, "held", "where"), "utf8")).toBe("/mnt/job\n");
    expect(readFileSync(join(work, "held", "mapped"), "latin1")).toContain("kept in a map");
  });

  test("a directory its user may not read is refused", async () => {
    const shut = join(scratch.path, "shut");
    writeFileSync(shut, "");
    chmodSync(shut, 0o600);
    const liveMounts = [{ host: shut, guest: "/mnt/x" }];
    expect((await rejection(boot({ image: "tiny", cmd: [], liveMounts }))).code).toBe(
      "BOOT_MOUNT_INVALID",
    );
    const nested = [
      { host: work, guest: "/mnt/a" },
      { host: tools, guest: "/mnt/a/b" },
    ];
    expect((await rejection(boot({ image: "tiny", cmd: [], liveMounts: nested }))).message).toMatch(
      /inside the live mount/,
    );
  });
});

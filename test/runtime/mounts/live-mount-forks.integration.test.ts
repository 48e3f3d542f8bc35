import { chmodSync, cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { readEntry } from "../../../src/runtime/registry/index.ts";
import { restore } from "../../../src/runtime/snapshot/restore.ts";
import { isAlive, until } from "../../vmm/machine.ts";
import { rejection } from "../machine/scratch.ts";
import { describeLiveMounts, minutes, say, serversOf } from "./live-mount-machine.ts";

describeLiveMounts(({ machine, options, path, work, tools }) => {
  let vm: Machine;
  beforeAll(() => {
    vm = machine();
  });

  /** A process that has a file open, works in a directory of the mount and writes when it is told to. */
  const holder =
    "mkdir -p /mnt/work/held && cd /mnt/work/held && echo start > log && echo doomed > doomed && " +
    "(exec 3>>log 4<doomed 5<log; rm doomed; " +
    'while :; do [ -e /tmp/go ] && { read -r line <&5; echo "$line" > /tmp/read; cat <&4 > /tmp/doomed 2>&1; ' +
    "hostname >&3; pwd > here-$(hostname); rm /tmp/go; }; sleep 0.1; done) >/dev/null 2>&1 </dev/null &";

  /** A process that holds a flock() and a lock by fcntl(), and gives them back when it is told to. */
  const lockFiles = "/mnt/work/held/whole /mnt/work/held/part";
  const lockHolder = `/mnt/tools/locks hold ${lockFiles} /tmp/unlock >/tmp/locked 2>&1 </dev/null &`;

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
      await vm.exec(`${lockHolder} until grep -q held /tmp/locked; do sleep 0.1; done`);
      ({ snapDir } = await vm.snapshot({
        outDir: join(path, "bundle"),
        leaveRunning: true,
      }));
    }, minutes);

    test("a fork goes on with the files its processes hold, as does its source", async () => {
      const fork = await vm.fork({ name: "fork", detached: true });
      expect(readEntry(fork.pid)?.liveMounts).toEqual(readEntry(vm.pid)?.liveMounts);
      expect(serversOf(fork).length).toBe(2);
      expect(serversOf(fork)).not.toEqual(serversOf(vm));
      await Promise.all([go(fork), go(vm)]);
      expect(log().split("\n").sort()).toEqual(["", "base", "fork", "start"]);
      expect(readdirSync(join(work, "held")).sort()).toEqual([
        "here-base",
        "here-fork",
        "log",
        "part",
        "whole",
      ]);
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

    test("locks are held in every machine, and each gives its own back", async () => {
      const tryLocks = (machine: Machine) => say(machine, `/mnt/tools/locks try ${lockFiles}`);
      const unlock = (machine: Machine) =>
        machine.exec("touch /tmp/unlock; until [ -e /tmp/unlock.done ]; do sleep 0.1; done");
      const fork = await vm.fork({ name: "locker", detached: true });
      const restored = await restore({ snapDir, name: "relocker", detached: true });
      const machines = [fork, restored, vm];
      for (const [index, machine] of machines.entries()) {
        for (const other of machines.slice(index)) {
          expect(await tryLocks(other), other.name).toBe("flock held, fcntl held");
        }
        await unlock(machine);
        expect(await tryLocks(machine), machine.name).toBe("flock free, fcntl free");
      }
      await Promise.all([fork.kill(), restored.kill()]);
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
        "mkdir /mnt/work/load; (i=0; while [ ! -e /tmp/stop ]; do i=$((i+1)); echo $i > /mnt/work/load/$(hostname)-$i; done; touch /tmp/stopped) >/dev/null 2>&1 </dev/null &",
      );
      const forks = await vm.forkMany(3, { names: ["one", "two", "three"], detached: true });
      for (const machine of [vm, ...forks]) {
        const { name } = machine;
        await until(`${name} to write`, () =>
          readdirSync(join(work, "load")).some((file) => file.startsWith(`${name}-`)),
        );
        await machine.exec("touch /tmp/stop; until [ -e /tmp/stopped ]; do sleep 0.1; done");
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
      const copy = join(path, "copy");
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
      const plain = await boot({ ...options, detached: true });
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
        ...options,
        cmd: [
          "/bin/sh",
          "-c",
          "pwd > where; /mnt/tools/holdmap mapped >/tmp/held & until [ -s /tmp/held ]; do sleep 0.1; done",
        ],
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
      const shut = join(path, "shut");
      writeFileSync(shut, "");
      chmodSync(shut, 0o600);
      const liveMounts = [{ host: shut, guest: "/mnt/x" }];
      expect((await rejection(boot({ ...options, liveMounts }))).code).toBe("BOOT_MOUNT_INVALID");
      const nested = [
        { host: work, guest: "/mnt/a" },
        { host: tools, guest: "/mnt/a/b" },
      ];
      expect((await rejection(boot({ ...options, liveMounts: nested }))).message).toMatch(
        /inside the live mount/,
      );
    });
  });
});

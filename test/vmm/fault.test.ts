import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { isAlive, Machine, makeInitramfs, until, vmmBinary } from "./machine.ts";
import { captureSteps, resumeSteps } from "./steps.ts";
import { makeFileSystem, saveBooted, useMachines } from "./use-machines.ts";

const { scratch, keep } = useMachines();
let saved: string;

const start = (env: Record<string, string> = {}) =>
  keep(Machine.template(scratch.path, saved, env));

beforeAll(async () => {
  const image = join(scratch.path, "disk.raw");
  makeFileSystem(image, 16);
  const prepare = "mkdir -p /tmp /mnt && mount -t ext4 /dev/vda /mnt && echo kept > /tmp/file";
  const initrd = makeInitramfs(scratch.path);
  saved = await saveBooted(scratch.path, initrd, prepare, { MACHINEN_ROOTDISK: image });
}, 60_000);

/** How many of a process's descriptors are memfds, and how many are files without a name. */
function openFiles(pid: number): { memory: number; nameless: number } {
  const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return "";
    }
  });
  const memory = targets.filter((target) => target.startsWith("/memfd:")).length;
  return {
    memory,
    nameless: targets.filter((target) => target.endsWith("(deleted)")).length - memory,
  };
}

const qemusOf = (pid: number) =>
  readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return (
        execFileSync("ps", ["-o", "ppid=", "-p", name], { encoding: "utf8" }).trim() === String(pid)
      );
    } catch {
      return false;
    }
  });

/** With one that only a fork has. */
const forkSteps = [...resumeSteps, "resume_captured"];

describe("a child that dies", () => {
  it("at any step leaves its parent running and nothing of itself", async () => {
    const parent = start();
    await parent.run("echo ready");
    let memfds: number | undefined;
    for (const fault of [...forkSteps, ...forkSteps.slice(1).map((step) => `qemu:${step}`)]) {
      const child = keep(parent.fork(scratch.path, { MACHINEN_FAULT: fault }));
      const ended = await child.ended;
      if (fault.startsWith("qemu:")) {
        expect([fault, ended.code, ended.signal]).toEqual([fault, expect.any(Number), null]);
        expect([fault, ended.code]).not.toEqual([fault, 0]);
        expect(existsSync(child.runDir)).toBe(false);
      } else {
        expect([fault, ended.signal]).toEqual([fault, "SIGKILL"]);
      }
      await until(`no QEMU after ${fault}`, () => qemusOf(child.process.pid!).length === 0);
      expect(await parent.run("cat /tmp/file; echo written > /mnt/file; sync")).toBe("kept\n");
      expect(await parent.control("status")).toMatchObject({ state: "running" });
      const { layers } = (
        (await parent.control("base")) as unknown as { disks: { layers: number }[] }
      ).disks[0]!;
      const { memory, nameless } = openFiles(parent.process.pid!);
      memfds ??= memory;
      expect([fault, memory]).toEqual([fault, memfds]);
      // A layer more for each capture is what a fork costs, and the overlays on top and to come.
      expect(nameless).toBeLessThanOrEqual(layers + 4);
    }
    const child = keep(parent.fork(scratch.path));
    expect(await child.run("cat /tmp/file")).toBe("kept\n");
  }, 600_000);
});

describe("a parent that dies", () => {
  it.each(captureSteps)(
    "at %s ends its child, or leaves it whole",
    async (fault) => {
      const parent = start({ MACHINEN_FAULT: fault });
      await parent.run("true");
      const { qemuPid } = await parent.control("status");
      const child = keep(parent.fork(scratch.path));
      const ended = await child.ended;
      expect(await parent.ended).toEqual({ code: null, signal: "SIGKILL" });
      expect(ended).toEqual({ code: 4, signal: null });
      expect(child.console).toMatch(/^SOURCE_LOST: [^\n]+\n$/);
      await until("its QEMU to end", () => !isAlive(qemuPid as number));
    },
    300_000,
  );

  it.each(["capture_stopped", "capture_saved", "capture_frozen", "capture_copied"])(
    "with its QEMU killed at %s says so and ends",
    async (step) => {
      const parent = start({ MACHINEN_FAULT: `qemu:${step}` });
      await parent.run("true");
      const child = keep(parent.fork(scratch.path));
      expect(await child.ended).toEqual({ code: 4, signal: null });
      expect(child.console).toMatch(/^(QEMU_LOST|INTERRUPTED|COPY_FAILED|SOURCE_LOST): [^\n]+\n$/);
      expect((await parent.ended).code).toBe(137);
    },
    300_000,
  );
});

describe("a save that dies", () => {
  it.each(["save_captured", "save_memory", "save_files"])(
    "at %s leaves the machine running and no bundle that could be taken for one",
    async (fault) => {
      const machine = start();
      await machine.run("true");
      const directory = join(scratch.path, fault);
      const args = ["save", machine.path("control"), directory, "hold"];
      const result = spawnSync(vmmBinary, args, { env: { ...process.env, MACHINEN_FAULT: fault } });
      expect(result.signal).toBe("SIGKILL");
      expect(await machine.run("cat /tmp/file")).toBe("kept\n");
      const restored = keep(
        new Machine(scratch.path, { MACHINEN_INCOMING: `bundle:${directory}` }),
      );
      expect(await restored.ended).toEqual({ code: 4, signal: null });
      expect(restored.console).toMatch(/^BUNDLE_IO: [^\n]+\n$/);
    },
    300_000,
  );
});

it("a step that does not exist is refused", async () => {
  const machine = start({ MACHINEN_FAULT: "nowhere" });
  expect(await machine.ended).toEqual({ code: 2, signal: null });
  expect(machine.console).toBe("CONFIG_INVALID: MACHINEN_FAULT: there is no step 'nowhere'\n");
});

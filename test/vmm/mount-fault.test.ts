import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { isAlive, Machine, makeInitramfs, until, vmmBinary } from "./machine.ts";
import { captureSteps, resumeSteps } from "./steps.ts";
import { makeFileSystem, saveBooted, useMachines } from "./use-machines.ts";

/*
 * Machines with a mount (squashfs and ext4) and a live mount, of which the VMM, QEMU or the file server is killed at
 * every step of their making, of a fork and of a snapshot. fault.test.ts has the same without mounts.
 */
const { scratch, keep, quitAll } = useMachines();
const [lower, upper] = [join(scratch.path, "lower.sqfs"), join(scratch.path, "upper.img")];
const shared = join(scratch.path, "shared");
const mountEnv = {
  MACHINEN_LIVE_MOUNTS: JSON.stringify([{ port: 2000, host: shared, mode: "rw" }]),
};
const minutes = 600_000;
const sum = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
let saved: string;
let resume: string;
let sums: string[];

beforeAll(async () => {
  const tree = join(scratch.path, "tree");
  for (const directory of [tree, shared]) mkdirSync(directory);
  writeFileSync(join(tree, "file"), "packed\n");
  execFileSync("mksquashfs", [tree, lower, "-noappend", "-quiet", "-no-progress", "-all-root"]);
  makeFileSystem(upper, 16, "-J", "size=1");
  execFileSync("chmod", ["a+r", lower, upper]);
  sums = [lower, upper].map(sum);
  resume = join(scratch.path, "resume.json");
  const liveMounts = [{ guest: "/mnt/live", port: 2000, mode: "rw" }];
  writeFileSync(resume, JSON.stringify({ config: { mount: "/mnt/work", liveMounts } }));
  const initrd = makeInitramfs(scratch.path, { wait: true, mount: true });
  const disks = { MACHINEN_MOUNT_LOWER: lower, MACHINEN_MOUNT_UPPER: upper };
  saved = await saveBooted(scratch.path, initrd, "true", disks);
}, minutes);

afterEach(async () => {
  await quitAll();
  expect([lower, upper].map(sum)).toEqual(sums);
});

/** Boots as the runtime does: from a template, told its mounts by RESUME. */
const start = (env: Record<string, string> = {}) =>
  keep(
    Machine.template(scratch.path, saved, {
      ...mountEnv,
      MACHINEN_MOUNT_LOWER: lower,
      MACHINEN_RESUME: resume,
      ...env,
    }),
  );
const fork = (parent: Machine, env: Record<string, string> = {}) =>
  keep(parent.fork(scratch.path, { ...mountEnv, ...env }));

const childrenOf = ({ process: { pid } }: Machine): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);

let round = 0;
/** Both mounts take writes and give them back, to the guest and, the live one, to the host. */
async function expectMounts(machine: Machine): Promise<void> {
  const word = `word-${++round}`;
  const both = `for m in /mnt/work /mnt/live; do echo ${word} > $m/${word} && cat $m/${word}; done`;
  expect(await machine.run(both)).toBe(`${word}\n${word}\n`);
  expect(await machine.run("cat /mnt/work/file")).toBe("packed\n");
  expect(readFileSync(join(shared, word), "utf8")).toBe(`${word}\n`);
}

/** The live mount gives errors or works, but keeps nobody waiting; all else works. */
async function expectNothingHangs(machine: Machine): Promise<void> {
  const { code } = await machine.exec("ls /mnt/live");
  expect([0, 1, 2]).toContain(code);
  expect(await machine.run("cat /mnt/work/file; echo on > /mnt/work/on; cat /mnt/work/on")).toBe(
    "packed\non\n",
  );
}

/** Processes that have this run directory in their environment: what a VMM started, and itself. */
function processesOf({ runDir }: Machine): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      const environment = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/environ`, "latin1") : "";
      return environment.includes(`MACHINEN_RUN_DIR=${runDir}\0`) && isAlive(Number(pid));
    } catch {
      return false;
    }
  });
}

const gone = (machine: Machine) =>
  until("what it started to end", () => processesOf(machine).length === 0, 60_000);

const mountedResume = ["mounts_started", ...resumeSteps];
/** A machine that is made from files has its memory and disks from the start. */
const templateSteps = mountedResume.filter((step) => !/injected|attached/.test(step));
const mountedCapture = ["mounts_pausing", "mounts_resting", ...captureSteps];

describe("a machine that is made with mounts", () => {
  it(
    "and is killed at any step leaves its mounts as they were, and nothing else",
    async () => {
      for (const fault of templateSteps) {
        const machine = start({ MACHINEN_FAULT: fault });
        expect([fault, (await machine.ended).signal]).toEqual([fault, "SIGKILL"]);
        await gone(machine);
        expect([lower, upper].map(sum)).toEqual(sums);
      }
      await expectMounts(start());
    },
    minutes,
  );

  it(
    "and loses its file server at any step is up without it",
    async () => {
      for (const step of templateSteps) {
        const machine = start({ MACHINEN_FAULT: `mount:${step}` });
        await expectNothingHangs(machine);
        await machine.quit();
        await gone(machine);
      }
    },
    minutes,
  );
});

describe("a fork with mounts", () => {
  it(
    "that is killed at any step, or its QEMU is, leaves its source's mounts at work",
    async () => {
      const parent = start();
      await expectMounts(parent);
      for (const step of mountedResume) {
        for (const fault of step === "mounts_started" || step === "resume_base"
          ? [step]
          : [step, `qemu:${step}`]) {
          const child = fork(parent, { MACHINEN_FAULT: fault });
          const { code, signal } = await child.ended;
          expect([fault, code === 0, signal]).toEqual([
            fault,
            false,
            fault.includes(":") ? null : "SIGKILL",
          ]);
          await gone(child);
          await expectMounts(parent);
        }
      }
      await expectMounts(fork(parent));
    },
    minutes,
  );

  it(
    "that loses its file server at any step is up without it, and its source has its own",
    async () => {
      const parent = start();
      await expectMounts(parent);
      for (const step of mountedResume) {
        const child = fork(parent, { MACHINEN_FAULT: `mount:${step}` });
        await expectNothingHangs(child);
        await child.quit();
        await gone(child);
      }
      await expectMounts(parent);
    },
    minutes,
  );

  it.each(mountedCapture)(
    "ends, or is whole, when its source dies at %s",
    async (fault) => {
      const parent = start({ MACHINEN_FAULT: fault });
      await expectMounts(parent);
      const servers = childrenOf(parent);
      const child = fork(parent);
      expect(await parent.ended).toEqual({ code: null, signal: "SIGKILL" });
      await until("QEMU and servers to end", () => !servers.some(isAlive), 60_000);
      expect(await child.ended).toEqual({ code: 4, signal: null });
      expect(child.console).toMatch(/^SOURCE_LOST: [^\n]+\n$/);
      await gone(child);
    },
    minutes,
  );

  it.each(mountedCapture)(
    "is made, or refused, when its source's file server dies at %s; the source goes on",
    async (step) => {
      const parent = start({ MACHINEN_FAULT: `mount:${step}` });
      await expectMounts(parent);
      const child = fork(parent);
      const made = await Promise.race([
        child.ended.then(() => false),
        child.run("true").then(
          () => true,
          () => false,
        ),
      ]);
      if (made) await expectNothingHangs(child);
      else expect(await child.ended).toEqual({ code: 4, signal: null });
      await expectNothingHangs(parent);
      const next = fork(parent);
      await expectNothingHangs(next);
    },
    minutes,
  );
});

it(
  "a live mount in constant use goes through captures with those who use it",
  async () => {
    const machine = start();
    // Processes that never wait: the agent finds more than one thing to do whenever it gets the processor.
    const user = (n: number) =>
      `(cd /mnt/live; while echo on > busy-${n}; do :; done; echo ended > /ended) >/dev/null 2>&1 </dev/null &`;
    await machine.run([1, 2, 3, 4].map(user).join(" "));
    for (let round = 0; round < 30; round++) {
      expect(await machine.control("capture")).toMatchObject({ ok: true });
      expect(await machine.run("cat /mnt/work/file; cat /ended 2>/dev/null || true")).toBe(
        "packed\n",
      );
    }
    await expectMounts(machine);
  },
  minutes,
);

describe("a snapshot of a machine with mounts", () => {
  it(
    "that dies at any step leaves the mounts at work, and no bundle to be taken for one",
    async () => {
      const machine = start();
      await expectMounts(machine);
      for (const fault of ["save_captured", "save_memory", "save_files"]) {
        const directory = join(scratch.path, fault);
        const args = ["save", machine.path("control"), directory, "hold"];
        const result = spawnSync(vmmBinary, args, {
          env: { ...process.env, MACHINEN_FAULT: fault },
        });
        expect(result.signal).toBe("SIGKILL");
        await expectMounts(machine);
        const restored = keep(
          new Machine(scratch.path, { ...mountEnv, MACHINEN_INCOMING: `bundle:${directory}` }),
        );
        expect(await restored.ended).toEqual({ code: 4, signal: null });
        await gone(restored);
      }
      const bundle = machine.save(join(scratch.path, "whole"));
      const restored = keep(
        new Machine(scratch.path, { ...mountEnv, MACHINEN_INCOMING: `bundle:${bundle}` }),
      );
      await expectMounts(restored);
    },
    minutes,
  );
});

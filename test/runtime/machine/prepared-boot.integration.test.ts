import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import { prepareBoot } from "../../../src/runtime/machine/prepared-boot.ts";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { list } from "../../../src/runtime/registry/index.ts";
import { bases, oneBase } from "./bases.ts";
import { expectRightTime } from "./guest-questions.ts";
import { runInOtherProcess } from "./other-process.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();

/** VMMs that were started for this file's machines, in a list or not. */
function vmms(): number[] {
  return readdirSync("/proc")
    .filter((pid) => {
      try {
        const { XDG_RUNTIME_DIR } = process.env;
        const ours = readFileSync(`/proc/${pid}/environ`, "latin1").includes(
          `\0MACHINEN_RUN_DIR=${XDG_RUNTIME_DIR}/`,
        );
        return ours && readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("machinen-vmm");
      } catch {
        return false;
      }
    })
    .map(Number);
}

const waiting = () => vmms().filter((pid) => !list().some((entry) => entry.pid === pid));

async function killAll(): Promise<void> {
  for (const { pid } of list()) await (await attach({ pid })).kill();
}

afterEach(killAll);
afterAll(async () => {
  for (const pid of vmms()) process.kill(pid, "SIGTERM");
  await vi.waitFor(() => expect(vmms()).toEqual([]), { timeout: 30_000 });
  scratch.remove();
});

describe.each(bases)("a boot that was prepared ($name)", ({ options }) => {
  test("is the machine that waited, with a name, command and place of its own", async () => {
    expect(await prepareBoot(options)).toBe(true);
    const [pid] = waiting();
    expect(list()).toEqual([]);
    const vm = await boot({
      ...options,
      name: "quick",
      cmd: ["/bin/sh", "-c", "echo console $ONE; exec sleep 1000"],
      env: { ONE: "two" },
      guestCwd: "/tmp",
    });
    expect(vm.pid).toBe(pid);
    expect(list()).toMatchObject([{ pid, name: "quick", hostname: "quick" }]);
    expect((await vm.exec("echo $(hostname) $ONE $PWD")).stdout).toBe("quick two /tmp\n");
    await vi.waitFor(async () => expect(await consoleOf(vm)).toContain("console two"), {
      timeout: 30_000,
    });
    await expectRightTime(vm);
    const runDir = list()[0]!.runDir!;
    await vm.kill();
    expect(existsSync(runDir)).toBe(false);
  });

  test("shares no random numbers with another", async () => {
    const random = "head -c 16 /dev/urandom | od -A n -t x1";
    const seen = new Set<string>();
    for (let i = 0; i < 2; i++) {
      await prepareBoot(options);
      const vm = await boot(options);
      seen.add((await vm.exec(random)).stdout);
      await vm.kill();
    }
    expect(seen.size).toBe(2);
  });
});

const seen = new WeakMap<Machine, { text: string }>();
/** What the machine's console has shown since this was first asked. */
async function consoleOf(vm: Machine): Promise<string> {
  let one = seen.get(vm);
  if (one === undefined) {
    const kept = { text: "" };
    seen.set(vm, kept);
    for (const stream of [vm.stdout, vm.stderr])
      stream.on("data", (chunk: Buffer) => {
        kept.text += chunk.toString("latin1");
      });
    one = kept;
  }
  return one.text;
}

describe.each(oneBase("tiny"))("what waits for a boot ($name)", ({ options }) => {
  test("is left to the boot that fits", async () => {
    await prepareBoot(options);
    const [pid] = waiting();
    for (const other of [{ memory: 320 }, { template: false }, { network: false }]) {
      const vm = await boot({ ...options, ...other });
      expect(vm.pid).not.toBe(pid);
      await vm.kill();
    }
    expect(waiting()).toEqual([pid]);
    expect((await boot(options)).pid).toBe(pid);
  });

  test("is no more than two machines, and one for each kind", async () => {
    for (const memory of [256, 256, 320, 384])
      expect(await prepareBoot({ ...options, memory })).toBe(true);
    await vi.waitFor(() => expect(waiting().length).toBe(2), { timeout: 30_000 });
    expect((await boot({ ...options, memory: 384 })).pid).toBeGreaterThan(0);
    expect(waiting().length).toBe(1);
  });

  test("cannot be what only a VMM of its own can do", async () => {
    const before = waiting();
    const { path } = scratch;
    const port = { hostPort: 0, guestPort: 80 };
    for (const opts of [
      { mount: { host: path, guest: "/mnt/data" } },
      { liveMounts: [{ host: path, guest: "/mnt/live" }] },
      { portForward: [{ ...port, hostPort: 18_080 }] },
      { network: false },
      { template: false },
      { binary: "/bin/cat" },
    ])
      expect(await prepareBoot({ ...options, ...opts })).toBe(false);
    expect(waiting()).toEqual(before);
    await expect(prepareBoot({ ...options, image: "nothing" })).rejects.toMatchObject({
      code: "BOOT_IMAGE_NOT_FOUND",
    });
  });

  test("is not waited for by a boot that can do without", async () => {
    const preparing = prepareBoot({ ...options, memory: 416 });
    const vm = await boot({ ...options, memory: 416 });
    expect(await preparing).toBe(true);
    expect(waiting()).not.toContain(vm.pid);
    expect(waiting()).not.toEqual([]);
  });

  test("is there, or said not to be, when somebody kills it while it comes up", async () => {
    const before = waiting();
    const small = { ...options, memory: 352 };
    const preparing = prepareBoot(small);
    let killed = 0;
    const killer = setInterval(() => {
      for (const pid of waiting().filter((one) => !before.includes(one) && killed++ < 2))
        process.kill(pid, "SIGKILL");
    }, 5);
    const prepared = await preparing;
    clearInterval(killer);
    expect(prepared).toBe(waiting().some((pid) => !before.includes(pid)));
    expect(await prepareBoot(small)).toBe(true);
    const fresh = waiting();
    expect(fresh).toContain((await boot(small)).pid);
  });

  test("is no loss when somebody kills it", async () => {
    await prepareBoot(options);
    for (const pid of waiting()) process.kill(pid, "SIGKILL");
    const vm = await boot({ ...options, name: "anyway" });
    expect((await vm.exec("hostname")).stdout).toBe("anyway\n");
  });
});

describe.each(oneBase("tiny"))("with the process that prepared it ($name)", ({ options }) => {
  const preparing = (then: string) => `
    import { boot } from "./machine/boot.ts";
    import { prepareBoot } from "./machine/prepared-boot.ts";
    const options = ${JSON.stringify({ ...options, memory: 448 })};
    await prepareBoot(options);
    ${then}
    console.log("done");
    process.kill(process.pid, "SIGKILL");`;

  async function runToItsEnd(then: string): Promise<void> {
    const other = await runInOtherProcess(preparing(then));
    if (other.process.signalCode === null) await once(other.process, "exit");
  }

  test("ends what waits, and a machine that is not to outlive it", async () => {
    const before = vmms();
    await runToItsEnd("");
    await runToItsEnd("await boot(options);");
    await vi.waitFor(() => expect(vmms()).toEqual(before), { timeout: 30_000 });
  });

  test("ends a machine that is not in the list yet", async () => {
    const before = vmms();
    await runToItsEnd(`
      const { default: fs } = await import("node:fs");
      const { syncBuiltinESMExports } = await import("node:module");
      const real = fs.renameSync;
      fs.renameSync = (from, to) => {
        if (!String(to).endsWith("meta.json")) return real(from, to);
        console.log("about to register");
        process.kill(process.pid, "SIGKILL");
      };
      syncBuiltinESMExports();
      await boot({ ...options, name: "never", detached: true });`);
    await vi.waitFor(() => expect(vmms()).toEqual(before), { timeout: 30_000 });
    expect(list()).toEqual([]);
  });

  test("does not end a machine that is to outlive it", async () => {
    await runToItsEnd('await boot({ ...options, name: "lasting", detached: true });');
    const vm = await attach({ name: "lasting" });
    expect((await vm.exec("hostname")).stdout).toBe("lasting\n");
  });
});

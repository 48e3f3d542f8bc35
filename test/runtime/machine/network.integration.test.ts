import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
import { restore } from "../../../src/runtime/snapshot/restore.ts";
import { freePort } from "../../vmm/ports.ts";
import { bases } from "./bases.ts";
import { startEcho } from "./guest-questions.ts";
import { rejection, useScratch } from "./scratch.ts";

const scratch = useScratch();
const launcher = fileURLToPath(new URL("../../../bin/machinen", import.meta.url));
async function killAll(): Promise<void> {
  for (const { pid } of list()) await (await attach({ pid })).kill();
}
afterAll(async () => {
  await killAll();
  scratch.remove();
});

/** What the guest's echo service says at a host port. */
async function echo(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(text);
  const [answer] = await once(socket, "data");
  socket.destroy();
  return String(answer);
}

describe.each(bases)("forwards of machines on the $name base", (base) => {
  let vm: Machine;
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    vm = await boot({
      ...base.options,
      name: "net",
      detached: true,
      portForward: [{ hostPort: port, guestPort: 7 }],
    });
    await startEcho(vm, base, 7);
  });
  afterAll(async () => vm?.kill());

  test("lead in, and the registry knows", async () => {
    expect(await echo(port, "hello")).toBe("hello");
    expect(readEntry(vm.pid)?.portForward).toEqual([{ hostPort: port, guestPort: 7 }]);
  });

  test("are never inherited, and a fork may have its own", async () => {
    const heir = await vm.fork();
    expect(readEntry(heir.pid)?.portForward).toBeUndefined();
    const own = await freePort();
    const fork = await vm.fork({ portForward: [{ hostPort: own, guestPort: 7 }] });
    expect(await echo(own, "the fork's")).toBe("the fork's");
    expect(await echo(port, "the parent's")).toBe("the parent's");
    expect(readEntry(fork.pid)?.portForward).toEqual([{ hostPort: own, guestPort: 7 }]);
    await vm.prepareFork();
    const error = await rejection(vm.fork({ portForward: [{ hostPort: own, guestPort: 7 }] }));
    expect(error.code).toBe("BOOT_PORT_FORWARD_IN_USE");
    const many = await rejection(vm.forkMany(2, { portForward: [{ hostPort: 1, guestPort: 7 }] }));
    expect(many.code).toBe("BOOT_PORT_FORWARD_CONFLICT");
    await fork.kill();
    await heir.kill();
    expect(await echo(port, "still")).toBe("still");
  });

  test("come with a restore that asks for them", async () => {
    const outDir = join(scratch.path, base.name);
    await vm.snapshot({ outDir, leaveRunning: true });
    const own = await freePort();
    const portForward = [{ hostPort: own, guestPort: 7 }];
    const restored = await restore({ snapDir: outDir, detached: true, portForward });
    expect(await echo(own, "restored")).toBe("restored");
    const again = await rejection(restore({ snapDir: outDir, detached: true, portForward }));
    expect(again.code).toBe("BOOT_PORT_FORWARD_IN_USE");
    await restored.kill();
  });
});

describe.each(bases)("forwards on the host of machines on the $name base", (base) => {
  const { options } = base;
  let vm: Machine;
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    const portForward = [{ hostPort: port, guestPort: 7 }];
    vm = await boot({ ...options, name: "net", detached: true, portForward });
  });
  afterAll(killAll);

  test.each([{ template: true }, { template: false }])(
    "that are taken are refused by name, and nothing is left: %j",
    async (how) => {
      const before = list().length;
      const portForward = [{ hostPort: port, guestPort: 80 }];
      for (const detached of [true, false]) {
        const error = await rejection(
          boot({ ...options, ...how, detached, name: "second", portForward }),
        );
        expect(error.code).toBe("BOOT_PORT_FORWARD_IN_USE");
        expect(error.message).toMatch(
          new RegExp(`127.0.0.1:${port} is in use by .*\\(pid ${vm.pid}\\), the machine net$`),
        );
        expect(list().length).toBe(before);
      }
    },
  );

  test("at an address that is not the host's are refused", async () => {
    const portForward = [{ hostAddr: "203.0.113.77", hostPort: 7777, guestPort: 7 }];
    const error = await rejection(boot({ ...options, detached: true, portForward }));
    expect(error.code).toBe("BOOT_PORT_FORWARD_INVALID");
  });

  test.skipIf(!existsSync(join(launcher, "../../dist/cli.js")))(
    "are made and shown by the command line",
    async () => {
      const own = await freePort();
      const machinen = (...args: string[]) =>
        spawnSync(launcher, args, { encoding: "utf8", env: process.env });
      const shape = ["--image", base.name, "--memory", String(options.memory)];
      const booted = machinen("boot", "shown", ...shape, "-p", `${own}:7`);
      expect([booted.status, booted.stderr]).toEqual([0, expect.any(String)]);
      const named = await attach({ name: "shown" });
      await startEcho(named, base, 7);
      expect(await echo(own, "cli")).toBe("cli");
      expect(machinen("ls").stdout).toMatch(new RegExp(`shown .* ${own}:7$`, "m"));
      const taken = machinen("boot", "late", ...shape, "-p", `${own}:7`);
      expect(taken.status).toBe(1);
      expect(taken.stderr).toContain("BOOT_PORT_FORWARD_IN_USE");
      await named.kill();
    },
  );

  test("a machine without a network has none, nor has its fork, unless it is asked for", async () => {
    const reaches = async (from: Machine) =>
      (await from.execRaw("ping -c 1 -W 2 10.0.2.2")).exitCode === 0;
    const cut = await boot({ ...options, name: "cut", detached: true, network: false });
    expect(await reaches(cut)).toBe(false);
    const heir = await cut.fork();
    expect(await reaches(heir)).toBe(false);
    const freed = await cut.fork({ network: true });
    expect(await reaches(freed)).toBe(true);
    await cut.prepareFork();
    expect(await reaches(await cut.fork())).toBe(false);
    const cold = await boot({ ...options, detached: true, network: false, template: false });
    expect(await reaches(cold)).toBe(false);
    expect(await reaches(await boot({ ...options, detached: true }))).toBe(true);
  });
});

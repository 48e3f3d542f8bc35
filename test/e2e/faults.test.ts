import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bases } from "../runtime/machine/bases.ts";
import { eventually, World } from "./support/world.ts";

describe.each(bases)("faults on the $name base", (base) => {
  let world: World;
  beforeEach(() => {
    world = new World(base);
  });
  afterEach(() => world.dispose());

  /** The QEMU a VMM started. */
  const qemuOf = (vmm: number): number =>
    Number(readFileSync(`/proc/${vmm}/task/${vmm}/children`, "utf8").trim().split(" ")[0]);

  const running = (pid: number): boolean => existsSync(`/proc/${pid}/exe`);

  async function bootTwo(): Promise<{ one: number; two: number }> {
    await Promise.all([world.boot("one"), world.boot("two")]);
    const machines = await world.machines();
    const pid = (name: string): number => machines.find((machine) => machine.name === name)!.pid;
    return { one: pid("one"), two: pid("two") };
  }

  /** Only `survivor` is listed, at once after gc nothing of the dead is left, and the survivor works. */
  async function expectOnly(survivor: string | undefined): Promise<void> {
    await eventually("the list is right", async () => {
      const names = (await world.machines()).map((machine) => machine.name);
      return JSON.stringify(names) === JSON.stringify(survivor === undefined ? [] : [survivor]);
    });
    await world.ok(["gc"]);
    expect(readdirSync(join(world.registry)).filter((name) => /^\d+$/.test(name))).toHaveLength(
      survivor === undefined ? 0 : 1,
    );
    if (survivor !== undefined) {
      expect(await world.ok(["exec", survivor, "--", "echo", "still here"])).toBe("still here\n");
      await world.ok(["stop", survivor]);
    }
    await world.ok(["gc"]);
    expect(world.processes()).toEqual([]);
    expect(world.leftovers()).toEqual([]);
  }

  test.each(["vmm", "qemu", "both"] as const)(
    "kill -9 of one machine's %s leaves the other alone",
    async (victim) => {
      const { one } = await bootTwo();
      const qemu = qemuOf(one);
      expect(running(qemu)).toBe(true);
      if (victim !== "qemu") process.kill(one, "SIGKILL");
      if (victim !== "vmm") process.kill(qemu, "SIGKILL");
      await eventually("both are gone", () => !running(one) && !running(qemu), 5000);
      await expectOnly("two");
    },
  );

  test("kill -9 of both machines leaves an empty list", async () => {
    const { one, two } = await bootTwo();
    process.kill(one, "SIGKILL");
    process.kill(qemuOf(two), "SIGKILL");
    await eventually("all are gone", () => !running(one) && !running(two), 5000);
    await expectOnly(undefined);
  });
});

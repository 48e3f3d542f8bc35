import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { boot } from "../../../src/runtime/machine/boot.ts";
import { bases } from "./bases.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
afterAll(() => scratch.remove());

test.each(bases)(
  "on the $name base a working directory that is not there is told; one that a mount brings is there",
  async ({ options }) => {
    const told =
      /machinen: working directory \/no\/such: No such file or directory: commands start/;
    const vm = await boot({ ...options, guestCwd: "/no/such" });
    let printed = "";
    vm.stderr.on("data", (chunk: Buffer) => {
      printed += chunk;
    });
    await expect.poll(() => printed, { timeout: 60_000 }).toMatch(told);
    expect((await vm.exec("mkdir -p /no; pwd")).stdout).toBe("/root\n");
    const fork = await vm.fork({ guestCwd: "/no" });
    expect((await fork.exec("pwd")).stdout).toBe("/no\n");
    await Promise.all([fork.kill(), vm.kill()]);
    expect(await fork.errorOutput()).not.toContain("working directory");
    const mount = { host: mkdtempSync(join(scratch.path, "work-")), guest: "/mnt/work" };
    for (const shared of [{ mount }, { liveMounts: [mount] }]) {
      const inside = await boot({ ...options, ...shared, guestCwd: "/mnt/work" });
      expect((await inside.exec("pwd")).stdout).toBe("/mnt/work\n");
      await inside.kill();
      expect(await inside.errorOutput()).not.toContain("working directory");
    }
  },
);

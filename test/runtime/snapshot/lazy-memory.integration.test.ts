import { execFile } from "node:child_process";
import { appendFileSync, closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { LogEvent } from "../../../src/runtime/log.ts";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { packageRoot } from "../../../src/runtime/package-root.ts";
import { readEntry } from "../../../src/runtime/registry/index.ts";
import { restore } from "../../../src/runtime/snapshot/restore.ts";
import { bases } from "../machine/bases.ts";
import { useScratch } from "../machine/scratch.ts";

const scratch = useScratch();
afterAll(() => scratch.remove());

describe.each(bases)("a bundle of $name restored lazily", ({ name, options }) => {
  const machines: Machine[] = [];
  let snapDir: string;
  const keep = (machine: Machine): Machine => {
    machines.push(machine);
    return machine;
  };
  const pending = async (machine: Machine) => (await machine.memoryStats()).lazyPagesPending;
  const check = "cd /tmp && sha256sum -c sum";

  beforeAll(async () => {
    const vm = await boot({ ...options, name: "lazy" });
    await vm.exec("cd /tmp; head -c 20000000 /dev/urandom > file; sha256sum file > sum");
    expect(await pending(vm)).toBe(0);
    ({ snapDir } = await vm.snapshot({ outDir: join(scratch.path, name) }));
  });
  afterEach(async () => {
    for (const machine of machines.splice(0)) await machine.kill();
  });

  test("takes memory for what it touches, and says what is pending; eagerly nothing is", async () => {
    const lazy = keep(await restore({ snapDir, lazy: true }));
    const first = await pending(lazy);
    expect(first).toBeGreaterThan(1000);
    expect(readEntry(lazy.pid)).toMatchObject({
      lazyPagesTotal: expect.any(Number),
      lazyPagesMountRoot: join(snapDir, "img"),
    });
    expect(readEntry(lazy.pid)!.lazyPagesTotal!).toBeGreaterThan(first);
    expect((await lazy.exec(check)).stdout).toContain("OK");
    expect(await pending(await attach({ pid: lazy.pid }))).toBeLessThan(first);

    const eager = keep(await restore({ snapDir, lazy: false }));
    expect(await pending(eager)).toBe(0);
    expect(readEntry(eager.pid)!.lazyPagesTotal).toBeUndefined();
    expect((await eager.exec(check)).stdout).toContain("OK");
  });

  test("goes on with what it had when somebody writes to the bundle, and in its fork", async () => {
    const machine = keep(await restore({ snapDir, lazy: true, detached: true }));
    const fork = keep(await machine.fork());
    expect(await pending(machine)).toBe(0);
    const other = keep(await restore({ snapDir, lazy: true }));
    expect(await pending(other)).toBeGreaterThan(0);
    appendFileSync(join(snapDir, "img", "memory.img"), "");
    expect(await pending(other)).toBe(0);
    for (const one of [machine, fork, other]) {
      expect((await one.exec(check)).stdout).toContain("OK");
    }
  });

  test("is copied where it cannot be mapped, and that is said", async () => {
    const writer = openSync(join(snapDir, "img", "memory.img"), "r+");
    const told: string[] = [];
    const onLog = (event: LogEvent) => {
      if (event.source === "guest-console") told.push(event.chunk.toString());
    };
    try {
      const machine = keep(await restore({ snapDir, lazy: true, onLog }));
      expect(told.join("")).toContain("memory.img was copied, not mapped: something has");
      expect(await pending(machine)).toBe(0);
      const words = ["restore", snapDir, "--lazy", "--name", "copied", "--json"];
      const cli = join(packageRoot(), "dist", "cli.js");
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [cli, ...words]);
      keep(await attach({ pid: JSON.parse(stdout).pid }));
      expect(stderr).toContain("copied has a copy of the snapshot's memory");
    } finally {
      closeSync(writer);
    }
  });
});

import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, test, vi } from "vitest";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { collectGarbage } from "../../../src/runtime/machine/gc.ts";
import { list } from "../../../src/runtime/registry/index.ts";
import { bases } from "./bases.ts";
import { runInOtherProcess } from "./other-process.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
afterAll(async () => {
  for (const { pid } of list()) await (await attach({ pid })).kill();
  scratch.remove();
});

/** Processes that were started for a machine of this file. */
function machines(): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes(
        `\0MACHINEN_RUN_DIR=${process.env.XDG_RUNTIME_DIR}/`,
      );
    } catch {
      return false;
    }
  });
}

describe.each(bases)("a machine of the $name base", ({ options }) => {
  /** A program that boots a machine to outlive it, after a few lines of its own. */
  const booting = (before: string, after: string) => `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    import { boot } from "./machine/boot.ts";
    ${before}
    syncBuiltinESMExports();
    await boot({ ...${JSON.stringify(options)}, detached: true });
    ${after}`;

  test("does not outlive a maker that dies before it is registered", async () => {
    const creator = await runInOtherProcess(
      booting(
        `const real = fs.renameSync;
         fs.renameSync = (from, to) => {
           if (!String(to).endsWith("meta.json")) return real(from, to);
           console.log("about to register");
           // The machine has had time to come up by itself.
           Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
           process.kill(process.pid, "SIGKILL");
         };`,
        "",
      ),
    );
    if (creator.process.signalCode === null) {
      await vi.waitFor(() => expect(machines().length).toBeGreaterThan(0), { timeout: 30_000 });
      await once(creator.process, "exit");
    }
    await vi.waitFor(() => expect(machines()).toEqual([]), { timeout: 30_000 });
    expect(list()).toEqual([]);
    collectGarbage();
    expect(scratch.runDirs()).toEqual([]);
  });

  test("outlives one that dies later", async () => {
    const creator = await runInOtherProcess(
      booting("", `console.log("booted"); process.kill(process.pid, "SIGKILL");`),
    );
    if (creator.process.signalCode === null) await once(creator.process, "exit");
    const [entry] = list();
    const vm = await attach({ pid: entry!.pid });
    expect((await vm.exec("echo alive")).stdout).toBe("alive\n");
    await vm.kill();
    expect(machines()).toEqual([]);
  });
});

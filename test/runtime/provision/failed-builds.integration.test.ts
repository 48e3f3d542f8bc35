import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { VmHandle } from "../../../src/runtime/machine/index.ts";
import type { ProvisionOptions } from "../../../src/runtime/provision/index.ts";
import { list } from "../../../src/runtime/registry/index.ts";
import { bases, oneBase } from "../machine/bases.ts";
import { runInOtherProcess } from "../machine/other-process.ts";
import { rejection, useScratch } from "../machine/scratch.ts";
import { Builds } from "./builds.ts";

const scratch = useScratch();
afterAll(() => scratch.remove());

describe.each(bases)(
  "a build from the $name base that fails leaves no image, the older one alone, and its log",
  (base) => {
    const builds = new Builds(scratch, base);
    const { images, out } = builds;

    beforeAll(() => {
      mkdirSync(images, { recursive: true });
      writeFileSync(out, "an older image");
    });

    const expectOlder = () => {
      expect(readFileSync(out, "utf8")).toBe("an older image");
      builds.expectNothingLeft();
    };

    test("because the hook does", async () => {
      const error = await rejection(
        builds.build((vm) => vm.exec("echo working; echo broken >&2; exit 3")),
      );
      expect(error.code).toBe("PROVISION_INSTALL_HOOK_FAILED");
      expect(error.cause).toMatchObject({ code: "EXEC_NONZERO_EXIT" });
      expect(builds.logOf(error)).toMatch(/working\n(.|\n)*broken\n(.|\n)*install hook failed/);
      const fresh = join(images, "fresh.tar.gz");
      const thrown = await rejection(
        builds.build(() => Promise.reject(new Error("own words")), { out: fresh }),
      );
      expect(thrown.message).toContain("own words");
      expect(existsSync(fresh)).toBe(false);
      expectOlder();
    });

    test("because the machine ends under it", async () => {
      const error = await rejection(builds.build((vm) => vm.kill()));
      expect(error.code).toBe("PROVISION_INSTALL_HOOK_FAILED");
      expectOlder();
    });

    test("because the image is larger than allowed", async () => {
      const error = await rejection(
        builds.build((vm) => vm.exec("dd if=/dev/zero of=/big bs=1M count=3"), {
          scratchDiskSizeBytes: 4 * 1024 * 1024,
        }),
      );
      expect(error.code).toBe("PROVISION_DISK_TOO_SMALL");
      expect(error.message).toContain("4 MiB");
      expectOlder();
    });

    test("because it takes too long, also in a hook that never ends", async () => {
      const hook = () => new Promise<void>(() => {});
      const error = await rejection(builds.build(hook, { timeoutMs: 3000 }));
      expect(error.code).toBe("PROVISION_INSTALL_HOOK_FAILED");
      expect(error.message).toContain("within 3000 ms");
      expectOlder();
    });

    test("because the caller ends it: at once, while it boots, and in the hook", async () => {
      const reason = new Error("not wanted any more");
      expect(
        await rejection(builds.build(async () => {}, { signal: AbortSignal.abort(reason) })),
      ).toBe(reason);
      const early = new AbortController();
      const booting = rejection(builds.build(async () => {}, { signal: early.signal }));
      early.abort(reason);
      expect(await booting).toBe(reason);
      const late = new AbortController();
      const hook = async (vm: VmHandle) => {
        late.abort(reason);
        await vm.exec("sleep 1000");
      };
      expect(await rejection(builds.build(hook, { signal: late.signal }))).toBe(reason);
      expectOlder();
    });

    test("because the whole process is killed", async () => {
      const { process: child } = await runInOtherProcess(
        `import { provision } from "./provision/index.ts";
       await provision({ base: "${base.name}", memory: ${base.options.memory}, out: ${JSON.stringify(out)}, install: async (vm) => {
         await vm.exec("true");
         console.log("installing");
         await vm.exec("sleep 1000");
       } });`,
      );
      expect(list()).toHaveLength(1);
      child.kill("SIGKILL");
      while (list().length > 0) await sleep(50);
      // What the killed one left is removed by the next.
      await rejection(builds.build(() => Promise.reject(new Error("x"))));
      while (scratch.runDirs().length > 0) await sleep(50);
      expectOlder();
    });
  },
);

test("what cannot be done is refused before anything starts", async () => {
  const builds = new Builds(scratch, oneBase("tiny")[0]!);
  const missing = join(scratch.path, "none");
  const code = async (more: Partial<ProvisionOptions>) =>
    (await rejection(builds.build(async () => {}, more))).code;
  expect(await code({ base: missing })).toBe("PROVISION_BASE_NOT_FOUND");
  expect(await code({ kernel: missing })).toBe("PROVISION_KERNEL_NOT_FOUND");
  expect(await code({ dtb: missing })).toBe("PROVISION_DTB_NOT_FOUND");
  expect(await code({ guestCwd: "relative" })).toBe("BOOT_CWD_INVALID");
  expect(await code({ out: scratch.path })).toBe("PROVISION_INSTALL_HOOK_FAILED");
  expect(await code({ binary: missing })).toBe("BOOT_VMM_MISSING");
  expect(await code({ vmmEnv: { MACHINEN_QEMU: missing } })).toBe("BOOT_VMM_MISSING");
  const assets = process.env.MACHINEN_ASSETS_DIR;
  process.env.MACHINEN_ASSETS_DIR = missing;
  expect(await code({})).toBe("PROVISION_ASSETS_DIR_INVALID");
  if (assets === undefined) delete process.env.MACHINEN_ASSETS_DIR;
  else process.env.MACHINEN_ASSETS_DIR = assets;
  builds.expectNothingLeft();
});

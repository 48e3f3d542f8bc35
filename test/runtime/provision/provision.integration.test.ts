import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readImageConfig } from "../../../src/runtime/images/index.ts";
import type { LogEvent } from "../../../src/runtime/log.ts";
import { boot, type VmHandle } from "../../../src/runtime/machine/index.ts";
import { type ProvisionOptions, provision } from "../../../src/runtime/provision/index.ts";
import { list } from "../../../src/runtime/registry/index.ts";
import { runInOtherProcess } from "../machine/other-process.ts";
import { rejection, useScratch } from "../machine/scratch.ts";

const scratch = useScratch();
const logs = join(scratch.path, "logs");
const images = join(scratch.path, "images");
const out = join(images, "made.tar.gz");

/** What a failed or finished build must leave: no machine, no directory of one, no part of an image. */
function expectNothingLeft(): void {
  expect(list()).toEqual([]);
  expect(scratch.runDirs()).toEqual([]);
  const parts = existsSync(images)
    ? readdirSync(images).filter((name) => name.startsWith("."))
    : [];
  expect(parts).toEqual([]);
}

const build = (install: (vm: VmHandle) => Promise<unknown>, more: Partial<ProvisionOptions> = {}) =>
  provision({
    base: "tiny",
    memory: 256,
    out,
    hostPackages: false,
    install: async (vm) => void (await install(vm)),
    ...more,
  });

/** The log a failed build names in its error. */
function logOf(error: Error): string {
  const path = /The build's log is (.+)$/m.exec(error.message)?.[1];
  expect(path?.startsWith(logs)).toBe(true);
  return readFileSync(path!, "utf8");
}

afterAll(() => scratch.remove());

describe("an image made from a base", () => {
  const events: LogEvent[] = [];

  beforeAll(async () => {
    const result = await build(
      async (vm) => {
        await vm.writeFile("/opt/tool/run", "#!/bin/sh\necho ran in $PWD with $MODE $KEPT\n", {
          mode: 0o755,
        });
        await vm.exec(
          `cd /opt && echo x > data && chown 1000:2000 data && chmod 4711 data && ln data hard &&
           ln -s data soft && mkfifo pipe && mknod null c 1 3 && truncate -s 3G holes &&
           printf end | dd of=holes bs=1 seek=3000000000 conv=notrunc 2>/dev/null &&
           touch -d '2001-02-03 04:05:06' data && mkdir -m 2775 "a b" && echo n > "$(printf 'new\\nline')" &&
           echo gone > /run/gone && echo gone > /dev/shm/gone && mkdir /mnt/tmpfs &&
           mount -t tmpfs none /mnt/tmpfs && echo gone > /mnt/tmpfs/gone`,
        );
      },
      {
        cmd: ["/opt/tool/run"],
        env: { MODE: "production", KEPT: "yes" },
        guestCwd: "/opt",
        onLog: (event) => events.push(event),
      },
    );
    expect(result.imagePath).toBe(out);
    expect(result.sizeBytes).toBe(statSync(out).size);
    expect(result.elapsedMs).toBeGreaterThan(0);
    expectNothingLeft();
  });

  test("says what happened, and keeps no log of it", () => {
    const phases = events.flatMap((e) =>
      e.source === "phase" && e.kind === "provision" ? [e] : [],
    );
    expect(phases).toHaveLength(1);
    expect([...phases[0]!.phases.keys()]).toEqual(["boot", "install", "archive", "publish"]);
    expect(readdirSync(logs)).toEqual([]);
  });

  test("is a tarball with what was made, without what was mounted", () => {
    const listing = execFileSync("tar", ["-tvzf", out, "--numeric-owner", "--full-time"], {
      encoding: "utf8",
      env: { ...process.env, TZ: "UTC" },
    });
    const rows = listing.replace(/^.*busybox\n/gm, "");
    expect(rows).toMatch(/^-rws--x--x 1000\/2000 +2 2001-02-03 04:05:06 +\.\/opt\/data$/m);
    expect(rows).toMatch(/^hrws--x--x .* \.\/opt\/hard link to \.\/opt\/data$/m);
    expect(rows).toMatch(/^crw.* 1,3 .* \.\/opt\/null$/m);
    expect(rows).toMatch(/^drwxrwsr-x .* \.\/opt\/a b$/m);
    expect(rows).toMatch(/ 3221225472 .* \.\/opt\/holes$/m);
    expect(rows).toContain("./opt/new\\nline");
    expect(rows).toMatch(/ \.\/proc$/m);
    expect(rows).not.toMatch(/gone| \.\/proc\/.| \.\/sys\/.|lost\+found/);
    expect(statSync(out).size).toBeLessThan(8 * 1024 * 1024);
  });

  test("carries its command, environment and directory, remembered from the build", () => {
    const config = {
      cmd: ["/opt/tool/run"],
      env: { MODE: "production", KEPT: "yes" },
      cwd: "/opt",
    };
    expect(readImageConfig(out)).toEqual(config);
    const packed = execFileSync("tar", ["-xOzf", out, "./machinen-config.json"], {
      encoding: "utf8",
    });
    expect(JSON.parse(packed)).toEqual(config);
  });

  test.each([true, false])("boots (on a disk: %s) and runs its command", async (rootDisk) => {
    // Three GiB of holes do not fit into the memory of a machine.
    const image = rootDisk ? out : join(images, "small.tar");
    if (!rootDisk) await build((vm) => vm.exec("rm /opt/holes"), { base: out, out: image });
    const vm = await boot({ image, rootDisk, memory: 256, env: { MODE: "test" } });
    expect(await vm.wait()).toEqual({ code: 0, signal: null });
    expect(await vm.errorOutput()).toContain("ran in /opt with test yes");
  });

  test("is a base itself; what is baked anew wins over what was there", async () => {
    const next = join(images, "next.tar.gz");
    await build((vm) => vm.exec("rm -r /opt/tool /opt/holes; sync"), {
      base: out,
      out: next,
      env: { MODE: "next" },
    });
    expect(readImageConfig(next)).toEqual({
      cmd: ["/opt/tool/run"],
      env: { MODE: "next", KEPT: "yes" },
      cwd: "/opt",
    });
    const names = execFileSync("tar", ["-tzf", next], { encoding: "utf8" });
    expect(names).toContain("./opt/data");
    expect(names).not.toContain("./opt/tool");
    expect(names.match(/machinen-config/g)).toHaveLength(1);
  });
});

describe("a build that fails leaves no image, the older one alone, and its log", () => {
  beforeAll(() => {
    mkdirSync(images, { recursive: true });
    writeFileSync(out, "an older image");
  });

  const expectOlder = () => {
    expect(readFileSync(out, "utf8")).toBe("an older image");
    expectNothingLeft();
  };

  test("because the hook does", async () => {
    const error = await rejection(build((vm) => vm.exec("echo working; echo broken >&2; exit 3")));
    expect(error.code).toBe("PROVISION_INSTALL_HOOK_FAILED");
    expect(error.cause).toMatchObject({ code: "EXEC_NONZERO_EXIT" });
    expect(logOf(error)).toMatch(/working\n(.|\n)*broken\n(.|\n)*install hook failed/);
    const fresh = join(images, "fresh.tar.gz");
    const thrown = await rejection(
      build(() => Promise.reject(new Error("own words")), { out: fresh }),
    );
    expect(thrown.message).toContain("own words");
    expect(existsSync(fresh)).toBe(false);
    expectOlder();
  });

  test("because the machine ends under it", async () => {
    const error = await rejection(build((vm) => vm.kill()));
    expect(error.code).toBe("PROVISION_INSTALL_HOOK_FAILED");
    expectOlder();
  });

  test("because the image is larger than allowed", async () => {
    const error = await rejection(
      build((vm) => vm.exec("dd if=/dev/zero of=/big bs=1M count=3"), {
        scratchDiskSizeBytes: 4 * 1024 * 1024,
      }),
    );
    expect(error.code).toBe("PROVISION_DISK_TOO_SMALL");
    expect(error.message).toContain("4 MiB");
    expectOlder();
  });

  test("because it takes too long, also in a hook that never ends", async () => {
    const hook = () => new Promise<void>(() => {});
    const error = await rejection(build(hook, { timeoutMs: 3000 }));
    expect(error.code).toBe("PROVISION_INSTALL_HOOK_FAILED");
    expect(error.message).toContain("within 3000 ms");
    expectOlder();
  });

  test("because the caller ends it: at once, while it boots, and in the hook", async () => {
    const reason = new Error("not wanted any more");
    expect(await rejection(build(async () => {}, { signal: AbortSignal.abort(reason) }))).toBe(
      reason,
    );
    const early = new AbortController();
    const booting = rejection(build(async () => {}, { signal: early.signal }));
    early.abort(reason);
    expect(await booting).toBe(reason);
    const late = new AbortController();
    const hook = async (vm: VmHandle) => {
      late.abort(reason);
      await vm.exec("sleep 1000");
    };
    expect(await rejection(build(hook, { signal: late.signal }))).toBe(reason);
    expectOlder();
  });

  test("because the whole process is killed", async () => {
    const { process: child } = await runInOtherProcess(
      `import { provision } from "./provision/index.ts";
       await provision({ base: "tiny", memory: 256, out: ${JSON.stringify(out)}, install: async (vm) => {
         await vm.exec("true");
         console.log("installing");
         await vm.exec("sleep 1000");
       } });`,
    );
    expect(list()).toHaveLength(1);
    child.kill("SIGKILL");
    while (list().length > 0) await sleep(50);
    // What the killed one left is removed by the next.
    await rejection(build(() => Promise.reject(new Error("x"))));
    while (scratch.runDirs().length > 0) await sleep(50);
    expectOlder();
  });
});

test("what cannot be done is refused before anything starts", async () => {
  const missing = join(scratch.path, "none");
  const code = async (more: Partial<ProvisionOptions>) =>
    (await rejection(build(async () => {}, more))).code;
  expect(await code({ base: missing })).toBe("PROVISION_BASE_NOT_FOUND");
  expect(await code({ kernel: missing })).toBe("PROVISION_KERNEL_NOT_FOUND");
  expect(await code({ dtb: missing })).toBe("PROVISION_DTB_NOT_FOUND");
  expect(await code({ guestCwd: "relative" })).toBe("BOOT_CWD_INVALID");
  expect(await code({ out: scratch.path })).toBe("PROVISION_INSTALL_HOOK_FAILED");
  expect(await code({ binary: missing })).toBe("BOOT_VMM_MISSING");
  const assets = process.env.MACHINEN_ASSETS_DIR;
  process.env.MACHINEN_ASSETS_DIR = missing;
  expect(await code({})).toBe("PROVISION_ASSETS_DIR_INVALID");
  if (assets === undefined) delete process.env.MACHINEN_ASSETS_DIR;
  else process.env.MACHINEN_ASSETS_DIR = assets;
  expectNothingLeft();
});

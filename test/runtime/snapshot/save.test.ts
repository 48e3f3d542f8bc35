import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { listBundles } from "../../../src/runtime/host/snapshot-store.ts";
import type { LogEvent } from "../../../src/runtime/log.ts";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import { identify, isRunning } from "../../../src/runtime/machine/process-identity.ts";
import type { VmHandle } from "../../../src/runtime/machine/vm-handle.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
import { openBundle } from "../../../src/runtime/snapshot/bundle.ts";
import { withChecksum } from "../../../src/runtime/snapshot/meta-checksum.ts";
import { restore } from "../../../src/runtime/snapshot/restore.ts";
import { rejection, useScratch } from "../machine/scratch.ts";

/** The saver is a script here: what happens around it, in every outcome, is what is tested. */
const scratch = useScratch();
const saver = join(scratch.path, "machinen-vmm");
const bundles = join(scratch.path, "bundles");
const outDir = join(bundles, "one");
let vm: VmHandle;

/** `$2` is the control socket, `$3` the directory, `$4` may be `hold`. */
function saverIs(script: string): void {
  writeFileSync(saver, `#!/bin/sh\n${script}\n`);
  chmodSync(saver, 0o755);
}
const writes = `echo '{"memoryMib":512}' > "$3/vmm.json"; echo x > "$3/memory.img"`;
const holds = `${writes}; if [ "$4" = hold ]; then echo saved; read verdict; echo "$verdict" > ${scratch.path}/verdict; fi`;

beforeAll(() => {
  process.env.MACHINEN_VMM = saver;
});
beforeEach(async () => {
  vm = await boot({ binary: "/bin/cat", name: "source" });
});
afterEach(async () => {
  await vm.kill();
  expect(list()).toEqual([]);
});
afterAll(() => scratch.remove());

describe("vm.snapshot", () => {
  test("with leaveRunning writes a whole, private bundle and the machine goes on", async () => {
    saverIs(holds);
    const result = await vm.snapshot({ outDir, leaveRunning: true });
    expect(result).toMatchObject({ snapDir: outDir, imgDir: join(outDir, "img"), consoleLog: "" });
    expect(JSON.parse(readFileSync(join(outDir, "meta.json"), "utf8"))).toMatchObject({
      sourceName: "source",
      arch: process.arch,
    });
    expect(statSync(outDir).mode & 0o077).toBe(0);
    expect(readdirSync(bundles)).toEqual(["one"]);
    expect(identify(vm.pid)).toBeDefined();
    expect(openBundle(outDir)).toMatchObject({ machine: { memoryMib: 512 } });
  });

  test("is logged to who asked for it and to who booted, not to who attached", async () => {
    saverIs(holds);
    const heard: string[] = [];
    const hears = (who: string) => (event: LogEvent) => heard.push(`${who} ${event.source}`);
    const own = await boot({ binary: "/bin/cat", onLog: hears("booter") });
    heard.length = 0;
    const attached = await attach({ pid: own.pid, onLog: hears("attacher") });
    const options = { leaveRunning: true, onLog: hears("asker") };
    await attached.snapshot({ ...options, outDir: join(bundles, "by-attacher") });
    expect(heard).toEqual(["asker phase"]);
    heard.length = 0;
    await own.snapshot({ ...options, outDir: join(bundles, "by-booter") });
    expect(heard).toEqual(["booter phase", "asker phase"]);
    await own.kill();
  });

  test("ends the source only when the bundle is whole", async () => {
    saverIs(`${holds}; [ -f ${bundles}/two/meta.json ] && echo whole >> ${scratch.path}/verdict`);
    const source = identify(vm.pid)!;
    await vm.snapshot({ outDir: join(bundles, "two") });
    expect(readFileSync(join(scratch.path, "verdict"), "utf8")).toBe("quit\nwhole\n");
    expect(isRunning(source)).toBe(false);
  });

  const failing: Array<[string, string, string]> = [
    ["the saver's reason", "echo 'DISK_FULL: no space left' >&2; exit 1", "no space left"],
    ["a saver that dies", "kill -9 $$", "SIGKILL"],
    ["a saver that ends without a word", "exit 0", "before it was told"],
  ];
  test.each(failing)(
    "%s: nothing is left and the machine goes on",
    async (_what, script, message) => {
      saverIs(script);
      const error = await rejection(vm.snapshot({ outDir: join(bundles, "failed") }));
      expect(error.code).toBe("SNAPSHOT_DUMP_FAILED");
      expect(error.message).toContain(message);
      expect(readdirSync(bundles).filter((name) => /failed|partial/.test(name))).toEqual([]);
      expect(identify(vm.pid)).toBeDefined();
    },
  );

  test.each([true, false])(
    "a saver that hangs: nothing is left, and the machine goes on only if it was to (%s)",
    async (leaveRunning) => {
      saverIs(`${writes}; exec sleep 1000`);
      const source = identify(vm.pid)!;
      const options = { outDir: join(bundles, "late"), timeoutMs: 100, leaveRunning };
      const error = await rejection(vm.snapshot(options));
      expect(error).toMatchObject({ code: "SNAPSHOT_TIMEOUT", retryable: leaveRunning });
      expect(error.message).toContain("100 ms");
      expect(readdirSync(bundles).filter((name) => /late|partial/.test(name))).toEqual([]);
      expect(isRunning(source)).toBe(leaveRunning);
    },
  );

  test("a machine that does not come up is waited for no longer than was said", async () => {
    // Were it taken for up under us, it would not be saved in time either.
    saverIs("exec sleep 1000");
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => socket.write('{"ok":true,"state":"booting"}\n'));
    });
    await new Promise<void>((done) => server.listen(readEntry(vm.pid)!.controlPath!, done));
    const options = { outDir: join(bundles, "never-up"), timeoutMs: 1500, leaveRunning: true };
    const error = await rejection(vm.snapshot(options));
    server.close();
    expect(error.code).toBe("SNAPSHOT_TIMEOUT");
    expect(existsSync(options.outDir)).toBe(false);
  }, 50_000); // The machine itself would be waited for for 60 s.

  test("Infinity: as long as it takes", async () => {
    saverIs(`sleep 0.2; ${writes}`);
    const options = { timeoutMs: Number.POSITIVE_INFINITY, leaveRunning: true };
    await vm.snapshot({ outDir: join(bundles, "slow"), ...options });
  });

  test("never overwrites: a directory with anything in it is refused, an empty one is filled", async () => {
    saverIs(holds);
    const full = join(bundles, "full");
    mkdirSync(full, { recursive: true });
    writeFileSync(join(full, "precious"), "");
    expect((await rejection(vm.snapshot({ outDir: full }))).message).toContain("not empty");
    expect(readdirSync(full)).toEqual(["precious"]);
    const file = join(full, "precious");
    expect((await rejection(vm.snapshot({ outDir: file }))).code).toBe("SNAPSHOT_DUMP_FAILED");
    const empty = join(bundles, "empty");
    mkdirSync(empty);
    await vm.snapshot({ outDir: empty, leaveRunning: true });
    expect(readdirSync(empty).sort()).toEqual(["img", "meta.json"]);
  });

  test("a machine booted with snapshot: false refuses to be saved or forked", async () => {
    const closed = await boot({ binary: "/bin/cat", snapshot: false });
    const options = { outDir: join(bundles, "no") };
    expect((await rejection(closed.snapshot(options))).code).toBe("SNAPSHOT_NO_DISK");
    expect((await rejection(closed.fork())).code).toBe("SNAPSHOT_NO_DISK");
    await closed.kill();
  });

  test("sweeps what dead processes left beside its bundle", async () => {
    saverIs(holds);
    const dead = join(bundles, `.partial-999999999-${"a".repeat(16)}-${"b".repeat(8)}`);
    mkdirSync(dead, { recursive: true });
    await vm.snapshot({ outDir: join(bundles, "sweeps"), leaveRunning: true });
    expect(existsSync(dead)).toBe(false);
  });
});

describe("restore refuses", () => {
  const bundle = join(bundles, "damaged");
  const put = (name: string, text: string) => {
    mkdirSync(join(bundle, "img"), { recursive: true });
    writeFileSync(join(bundle, name), text);
  };
  const meta = (more: object = {}) =>
    put("meta.json", JSON.stringify(withChecksum({ snappedAt: 1, arch: process.arch, ...more })));

  test("what is no bundle, and says what is wrong", async () => {
    const reason = async () => {
      const error = await rejection(restore({ snapDir: bundle, binary: "/bin/cat" }));
      expect(error.code).toBe("BOOT_SNAPSHOT_NOT_FOUND");
      return error.message;
    };
    expect(await reason()).toContain("no such directory");
    mkdirSync(bundle, { recursive: true });
    expect(await reason()).toContain("no meta.json");
    put("meta.json", "{");
    expect(await reason()).toContain("meta.json is damaged");
    meta({ arch: "pdp11" });
    expect(await reason()).toContain("a machine of pdp11");
    meta();
    expect(await reason()).toContain("img/vmm.json");
    put("img/vmm.json", "[]");
    expect(await reason()).toContain("img/vmm.json is damaged");
    for (const name of ["img/vmm.json", "meta.json"]) {
      rmSync(join(bundle, name));
      execFileSync("mkfifo", [join(bundle, name)]);
      expect(await reason()).toContain(`${name}: it is no file`);
    }
    for (const name of ["img/vmm.json", "meta.json"]) rmSync(join(bundle, name));
  });

  test("a description that differs by one bit from the one that was written, anywhere", () => {
    meta({ sourceName: "m1", liveMounts: [{ guest: "/mnt/a", host: "/srv/a", mode: "rw" }] });
    put("img/vmm.json", '{"memoryMib":512}');
    const whole = openBundle(bundle);
    const path = join(bundle, "meta.json");
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << (at % 8);
      writeFileSync(path, flipped);
      expect(() => openBundle(bundle), `byte ${at}: ${flipped}`).toThrow(/meta.json is damaged/);
    }
    writeFileSync(path, bytes);
    expect(openBundle(bundle)).toEqual(whole);
  });

  test("options a machine with a past cannot take", async () => {
    meta({ liveMounts: [{ guest: "/mnt/a", host: "/tmp", mode: "rw" }] });
    put("img/vmm.json", '{"memoryMib":512,"cpus":2}');
    const code = async (opts: object) =>
      (await rejection(restore({ snapDir: bundle, binary: "/bin/cat", ...opts }))).code;
    expect(await code({ liveMounts: [{ guest: "/mnt/b", host: "/tmp" }] })).toBe(
      "BOOT_LIVE_MOUNT_OVERRIDE_UNKNOWN",
    );
    const nowhere = [{ guest: "/mnt/a", host: "/nowhere" }];
    expect(await code({ liveMounts: nowhere })).toBe("BOOT_MOUNT_HOST_NOT_FOUND");
    expect(await code({ memory: 512.5 })).toBe("BOOT_MEMORY_INVALID");
    expect(await code({ memory: 512, cpus: 3 })).toBe("BOOT_CPUS_INVALID");
    expect(await code({ rootDiskSizeBytes: 0 })).toBe("BOOT_PACK_FAILED");
    expect(await code({ mountDiskUpperSizeBytes: 5000 })).toBe("BOOT_MOUNT_INVALID");
    expect(await code({ guestCwd: "work" })).toBe("BOOT_CWD_INVALID");
    expect(await code({ env: { "A=B": "1" } })).toBe("BOOT_PACK_FAILED");
    expect(await code({ image: "/nowhere/image.tar" })).toBe("BOOT_IMAGE_NOT_FOUND");
    expect(await code({ kernel: "/nowhere" })).toBe("BOOT_KERNEL_NOT_FOUND");
    expect(await code({ dtb: "/nowhere" })).toBe("BOOT_DTB_NOT_FOUND");
    meta({ liveMounts: [{ guest: "/mnt/a", host: "/nowhere", mode: "rw" }] });
    expect(await code({})).toBe("BOOT_MOUNT_HOST_NOT_FOUND");
    meta();
    const portForward = [{ hostPort: 1, guestPort: 1 }];
    expect(await code({ portForward, network: false })).toBe("BOOT_PORT_FORWARD_INVALID");
  });

  test("a state the VMM cannot load, with the VMM's own words, and nothing is left", async () => {
    meta({ sourceName: "old" });
    put("img/vmm.json", '{"memoryMib":512}');
    saverIs("echo 'the device state is from another QEMU' >&2; exit 4");
    const error = await rejection(restore({ snapDir: bundle }));
    expect(error.code).toBe("BOOT_SNAPSHOT_NOT_FOUND");
    expect(error.message).toContain("from another QEMU");
    expect(scratch.runDirs().length).toBe(1); // the source's own
  });
});

test("listBundles shows whole bundles, newest first", () => {
  const root = process.env.MACHINEN_SNAPSHOT_DIR!;
  const put = (name: string, meta: object) => {
    mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, name, "meta.json"), JSON.stringify(meta));
  };
  put("older", withChecksum({ snappedAt: 1, arch: "x64", sourceName: "m1" }));
  put("newer", withChecksum({ snappedAt: 2, arch: "x64" }));
  put("odd", withChecksum({ snappedAt: 0, arch: "x64", sourceName: "../../m1\u001b[2J" }));
  put("damaged", { snappedAt: 3, arch: "x64" });
  mkdirSync(join(root, "empty"));
  expect(listBundles()).toEqual([
    { directory: join(root, "newer"), sourceName: undefined, takenAt: 2 },
    { directory: join(root, "older"), sourceName: "m1", takenAt: 1 },
    { directory: join(root, "odd"), sourceName: undefined, takenAt: 0 },
  ]);
});

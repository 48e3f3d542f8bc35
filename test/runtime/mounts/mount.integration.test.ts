import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ensureMountDiskImage } from "../../../src/runtime/images/index.ts";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import {
  identify,
  isRunning,
  waitUntilGone,
} from "../../../src/runtime/machine/process-identity.ts";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { collectMountImages } from "../../../src/runtime/mounts/index.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
import { withChecksum } from "../../../src/runtime/snapshot/meta-checksum.ts";
import { restore } from "../../../src/runtime/snapshot/restore.ts";
import { bases } from "../machine/bases.ts";
import { runInOtherProcess } from "../machine/other-process.ts";
import { rejection, useScratch } from "../machine/scratch.ts";

const allScratch = useScratch();
const host = join(allScratch.path, "host dir");
const guest = "/mnt/deep/wörk";
const mount = { host, guest };
const EXOTIC = "näme ☃ with 'quotes'\nand a line";
let hostBefore: string;

/** Everything there is to see of the host's directory: names, modes, owners, times, targets, contents. */
function hostState(): string {
  const script =
    "find . -printf '%p|%m|%U:%G|%T@|%l\\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum";
  return execFileSync("sh", ["-c", script], { cwd: host, encoding: "utf8" });
}

async function until(check: () => boolean): Promise<void> {
  while (!check()) await sleep(10);
}

const run = async (vm: Machine, command: string): Promise<string> =>
  (await vm.exec(`cd ${guest} && ${command}`)).stdout;

beforeAll(() => {
  mkdirSync(join(host, "sub/empty"), { recursive: true });
  mkdirSync(join(host, "many"));
  for (let i = 0; i < 500; i++) writeFileSync(join(host, "many", `file-${i}`), `${i}\n`);
  writeFileSync(join(host, "file"), "content\n");
  writeFileSync(join(host, "tool"), "#!/bin/sh\necho tool\n", { mode: 0o755 });
  writeFileSync(join(host, "sub/secret"), "secret\n", { mode: 0o600 });
  writeFileSync(join(host, EXOTIC), "exotic\n");
  symlinkSync("sub/secret", join(host, "link"));
  symlinkSync("/nowhere/at all", join(host, "dangling"));
  chmodSync(host, 0o750);
  utimesSync(join(host, "file"), 1_000_000_000, 1_000_000_000);
  // Somebody else's on the host, the guest's root's in the guest.
  if (process.getuid?.() === 0) execFileSync("chown", ["1000:1000", join(host, "file")]);
  hostBefore = hostState();
});
afterEach(() => expect(hostState()).toBe(hostBefore));
afterAll(async () => {
  for (const { pid } of list()) await (await attach({ pid })).kill();
  expect(allScratch.runDirs()).toEqual([]);
  allScratch.remove();
});

describe.each(bases)("a mounted directory on the $name base", ({ name: base, options }) => {
  let vm: Machine;
  const scratch = { path: join(allScratch.path, base) };

  beforeAll(async () => {
    mkdirSync(scratch.path);
    vm = await boot({ ...options, mount, name: `mounted-${base}`, guestCwd: guest });
  });
  afterAll(async () => vm?.kill());

  test("is in the guest as it is on the host, and belongs to root", async () => {
    expect((await vm.exec("pwd; cat file; ./tool")).stdout).toBe(`${guest}\ncontent\ntool\n`);
    expect(await run(vm, "stat -c '%a %U %Y' . file tool sub/secret")).toMatch(
      /^750 root \d+\n644 root 1000000000\n755 root \d+\n600 root \d+\n$/,
    );
    expect(await run(vm, "readlink link; readlink dangling; cat link")).toBe(
      "sub/secret\n/nowhere/at all\nsecret\n",
    );
    expect(await run(vm, "cat n*line*; ls many | wc -l; ls -d sub/empty")).toBe(
      "exotic\n500\nsub/empty\n",
    );
    expect(readEntry(vm.pid)?.mountDisk?.guest).toBe(guest);
  });

  test("takes what the guest does to it, and keeps it from the host", async () => {
    await run(
      vm,
      "echo more >> file; rm -r many; mv sub moved; chmod 700 tool; chown 12:34 link -h; ln file hard; mkfifo fifo; echo new > 'new file'",
    );
    expect(
      await run(
        vm,
        "cat file hard moved/secret; stat -c %u:%g link; set -- *; echo $#; cat n*line*",
      ),
    ).toBe("content\nmore\ncontent\nmore\nsecret\n12:34\n" + "9\nexotic\n");
    await expect(vm.exec(`mknod ${guest}/null c 1 3 && echo x > ${guest}/null`)).rejects.toThrow();
  });

  test("goes its own way in every generation of forks", async () => {
    const first = await vm.fork({ name: "f1" });
    await run(first, "echo 1 > generation; echo first > 'new file'");
    const child = await first.fork({ name: "f2" });
    await run(child, "echo 2 > generation; rm tool");
    const grandchild = await child.fork({ name: "f3" });
    await run(grandchild, "echo 3 > generation; echo back > tool");
    const look = "sync; echo 3 > /proc/sys/vm/drop_caches; cat generation 'new file' tool file";
    const tool = "#!/bin/sh\necho tool\n";
    expect(await run(grandchild, look)).toBe("3\nfirst\nback\ncontent\nmore\n");
    expect((await vm.execRaw(`cd ${guest}; ${look}`)).stdout).toBe(`new\n${tool}content\nmore\n`);
    expect(await run(first, look)).toBe(`1\nfirst\n${tool}content\nmore\n`);
    expect((await child.execRaw(`cd ${guest}; ${look}`)).stdout).toBe("2\nfirst\ncontent\nmore\n");
    expect(readEntry(grandchild.pid)?.mountDisk).toEqual(readEntry(vm.pid)?.mountDisk);
    await Promise.all([first, child, grandchild].map((fork) => fork.kill()));
  });

  test("is in prepared forks and in several of one moment", async () => {
    await vm.prepareFork();
    const forks = [
      await vm.fork({ name: "p1" }),
      ...(await vm.forkMany(2, { names: ["g1", "g2"] })),
    ];
    for (const [index, fork] of forks.entries()) await run(fork, `echo ${index} > own`);
    for (const [index, fork] of forks.entries()) {
      expect(await run(fork, "cat own 'new file'")).toBe(`${index}\nnew\n`);
    }
    await Promise.all(forks.map((fork) => fork.kill()));
  });

  test("survives a snapshot that is restored from elsewhere, without the directory it came from", {
    timeout: 300_000,
  }, async () => {
    await run(vm, "echo kept > generation");
    const written = join(scratch.path, "written");
    await vm.snapshot({ outDir: written });
    const bundle = join(scratch.path, "elsewhere", "bundle");
    mkdirSync(join(bundle, ".."));
    execFileSync("cp", ["-r", written, bundle]);
    rmSync(written, { recursive: true });
    const upper = join(bundle, "mount-upper.img");
    expect(JSON.parse(readFileSync(join(bundle, "meta.json"), "utf8")).mountDisk).toEqual({
      guest,
      lower: "mount-lower.sqfs",
      upper: "mount-upper.img",
    });
    // Each half is of use by itself.
    const lower = ["-cat", join(bundle, "mount-lower.sqfs"), "file"];
    expect(execFileSync("unsquashfs", lower, { encoding: "utf8" })).toBe("content\n");
    const copy = `${upper}.copy`;
    execFileSync("cp", ["--sparse=always", upper, copy]);
    execFileSync("sh", ["-c", '/sbin/e2fsck -fp "$0" >/dev/null; [ $? -le 1 ]', copy]);
    const cat = ["-R", "cat /data/generation", copy];
    expect(execFileSync("/sbin/debugfs", cat, { encoding: "utf8", stdio: "pipe" })).toBe("kept\n");
    rmSync(copy);

    const away = `${host}.away`;
    renameSync(host, away);
    const restored = await restore({ snapDir: bundle, name: "restored" });
    renameSync(away, host);
    const look = "echo 3 > /proc/sys/vm/drop_caches; cat generation file moved/secret";
    expect(await run(restored, look)).toBe("kept\ncontent\nmore\nsecret\n");
    expect(readEntry(restored.pid)?.mountDisk).toMatchObject({ guest, upperPath: upper });
    const fork = await restored.fork({ name: "of-restored" });
    await run(fork, "echo fork > generation");
    expect(await run(restored, "cat generation")).toBe("kept\n");
    await fork.kill();
    const again = join(scratch.path, "again");
    await restored.snapshot({ outDir: again });
    const twice = await restore({ snapDir: again, name: "twice" });
    expect(await run(twice, look)).toBe("kept\ncontent\nmore\nsecret\n");
    await twice.kill();

    const { sha256: _, ...meta } = JSON.parse(readFileSync(join(bundle, "meta.json"), "utf8"));
    const refused = async (mountDisk: object) => {
      writeFileSync(
        join(bundle, "meta.json"),
        JSON.stringify(withChecksum({ ...meta, mountDisk })),
      );
      return (await rejection(restore({ snapDir: bundle }))).code;
    };
    for (const name of ["../bundle/mount-lower.sqfs", "/etc/passwd", "..", "meta.json"]) {
      expect(await refused({ ...meta.mountDisk, lower: name })).toBe("BOOT_SNAPSHOT_NOT_FOUND");
    }
  });
});

describe("a process that dies while it packs", () => {
  test("leaves no packer behind, and nothing that the next one does not remove", async () => {
    const cacheDir = join(allScratch.path, "cache");
    const pidFile = join(allScratch.path, "packer");
    const slow = join(allScratch.path, "slow-mksquashfs");
    writeFileSync(
      slow,
      `#!/bin/sh\necho $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}\nexec sleep 600\n`,
      {
        mode: 0o755,
      },
    );
    process.env.MACHINEN_MKSQUASHFS = slow;
    const { process: packer } = await runInOtherProcess(
      `import { ensureMountDiskImageAsync } from "./images/index.ts";
       ensureMountDiskImageAsync(${JSON.stringify(host)}, { cacheDir: ${JSON.stringify(cacheDir)} });
       console.log("packing");`,
    );
    delete process.env.MACHINEN_MKSQUASHFS;
    await until(() => existsSync(pidFile));
    const child = identify(Number(readFileSync(pidFile, "utf8")))!;
    packer.kill("SIGKILL");
    await waitUntilGone([child], 60_000);
    expect(isRunning(child)).toBe(false);
    expect(readdirSync(cacheDir)).toEqual([expect.stringMatching(/^\.staging-/)]);
    await until(() => !isRunning(identify(packer.pid!) ?? child));
    const { key } = ensureMountDiskImage(host, { cacheDir });
    expect(readdirSync(cacheDir).sort()).toEqual([`${key}.sqfs`, `${key}.sqfs.handed-out`]);
  });
});

describe.each(bases)("machines with a mount on the $name base", (base) => {
  const options = { ...base.options, mount };
  test("start cold too, have a writable layer of the size that was asked for, and a root disk", async () => {
    const vm = await boot({
      ...options,
      template: false,
      rootDisk: undefined,
      mountDiskUpperSizeBytes: 64 << 20,
    });
    expect(await run(vm, "cat file && df -m . | tail -1")).toMatch(
      /^content\nmachinen-mount +(4|5|6)\d /,
    );
    const fill = await vm.execRaw(`dd if=/dev/zero of=${guest}/full bs=1M count=100`);
    expect(fill.stderr).toContain("No space left on device");
    expect(await run(vm, "rm full && cat file && echo still > file && cat file")).toBe(
      "content\nstill\n",
    );
    await vm.kill();
  });

  test("keep their packed directory from the cache's broom", async () => {
    const vm = await boot({ ...options, name: "using", detached: true });
    expect(await run(vm, "cat file")).toBe("content\n");
    const { lowerPath } = readEntry(vm.pid)!.mountDisk!;
    // As long ago as no boot takes.
    utimesSync(`${lowerPath}.handed-out`, 5, 5);
    expect(collectMountImages({ dryRun: true }).map(({ path }) => path)).not.toContain(lowerPath);
    await vm.kill();
    expect(collectMountImages({ dryRun: true }).map(({ path }) => path)).toContain(lowerPath);
    expect(existsSync(lowerPath)).toBe(true);
  });
});

import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import {
  packBundle,
  packMinimal,
  packRootfs,
  packTinyBundle,
  packWorkspace,
  resolveBaseKernel,
  resolveImage,
} from "../../../src/runtime/images/index.ts";
import { boot } from "../../../src/runtime/machine/index.ts";
import { bases } from "../machine/bases.ts";
import { useScratch } from "../machine/scratch.ts";

/** What the packers write is for a kernel: here it is given to one. */
const scratch = useScratch();
const out = join(scratch.path, "out.cpio");
const usage = "usage: machinen-init";
/** A program that is in every initramfs, even where there is no other: it says how it is used. */
const initAsCommand = { cmd: ["/init", "--help"] };

function bundle(name: string, config: object): string {
  const path = join(scratch.path, name);
  mkdirSync(join(path, "rootfs"), { recursive: true });
  writeFileSync(join(path, "machinen-config.json"), JSON.stringify(config));
  return path;
}

/** What a machine with this initramfs prints until its command has ended and it is off. */
async function run(initramfs: string, memory = 256): Promise<string> {
  const vm = await boot({
    kernel: resolveBaseKernel(),
    memory,
    vmmEnv: { MACHINEN_INITRD: initramfs },
    timeoutMs: 100_000,
  });
  expect(await vm.wait()).toEqual({ code: 0, signal: null });
  return vm.errorOutput();
}

afterAll(() => scratch.remove());

test("packMinimal", async () => {
  const config = join(bundle("minimal", initAsCommand), "machinen-config.json");
  packMinimal({ out, config });
  expect(await run(out)).toContain(usage);
});

test.each(bases)("packRootfs of the $name base", async ({ name, options }) => {
  const config = join(
    bundle(`rootfs-${name}`, { cmd: ["/bin/sh", "-c", "echo rootfs; ls /left"] }),
    "machinen-config.json",
  );
  const rootfs = join(scratch.path, `root-${name}`);
  mkdirSync(join(rootfs, "left"), { recursive: true });
  execFileSync("tar", ["-xzf", resolveImage(name), "-C", rootfs, "--exclude=./dev/*"]);
  writeFileSync(join(rootfs, "left/out"), "x");
  writeFileSync(join(rootfs, "left/in"), "x");
  packRootfs({ rootfs, out, config, excludes: ["left/out"] });
  expect(await run(out, options.memory)).toMatch(/rootfs\r?\nin\r?\n/);
});

test.each(bases)("packBundle on the $name base, with a workspace behind it", async (base) => {
  const path = bundle(`bundle-${base.name}`, {
    cmd: ["/bin/sh", "-c", "cat /etc/own /mnt/data/file /workspace/sub/file; echo $A $B in $PWD"],
    env: { A: "bundle" },
    cwd: "/mnt/data",
  });
  mkdirSync(join(path, "rootfs/etc"));
  writeFileSync(join(path, "rootfs/etc/own"), "own\n");
  const host = join(scratch.path, "host");
  mkdirSync(join(host, "sub"), { recursive: true });
  writeFileSync(join(host, "file"), "mounted\n");
  writeFileSync(join(host, "sub/file"), "workspace\n");
  packBundle({
    bundle: path,
    out,
    base: resolveImage(base.name),
    mount: { host, guest: "/mnt/data" },
    env: { A: "caller", B: "caller" },
  });
  packWorkspace({ workspace: host, out: `${out}.workspace` });
  appendFileSync(out, readFileSync(`${out}.workspace`));
  expect(await run(out, base.options.memory)).toMatch(
    /own\r?\nmounted\r?\nworkspace\r?\nbundle caller in \/mnt\/data\r?\n/,
  );
});

test("packTinyBundle", async () => {
  packTinyBundle({ bundle: bundle("tiny", initAsCommand), out });
  expect(await run(out)).toContain(usage);
});

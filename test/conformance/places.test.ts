import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  bootSnapshotPath,
  detachedLogRoot,
  ensureMountDiskImage,
  ensureRootfsImage,
  mountdiskImgCacheDir,
  registryRoot,
  resolveMke2fs,
  resolveMksquashfs,
  resolveVmmBinary,
  rootfsImgCacheDir,
  writeBootSnapshot,
} from "../../src/runtime/index.ts";
import { packageRoot } from "../../src/runtime/package-root.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "machinen-places-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

/** Each documented place: where it is, and the variable that moves it. */
const places: Array<[string, () => string, string, string]> = [
  ["the registry", registryRoot, ".machinen/vms", "MACHINEN_REGISTRY_DIR"],
  ["boot consoles", detachedLogRoot, ".machinen/logs", "MACHINEN_DETACHED_LOG_DIR"],
];

test.each(places)(
  "%s lies in the home directory unless a variable says otherwise",
  (_what, place, usual, variable) => {
    vi.stubEnv(variable, "");
    expect(place()).toBe(join(homedir(), usual));
    vi.stubEnv(variable, join(directory, "else/where"));
    expect(place()).toBe(join(directory, "else/where"));
    vi.stubEnv(variable, "relative");
    expect(place()).toBe(join(process.cwd(), "relative"));
  },
);

test("caches lie in the home directory, each kind in its own", () => {
  vi.stubEnv("MACHINEN_CACHE_DIR", "");
  expect(rootfsImgCacheDir()).toBe(join(homedir(), ".cache/machinen/rootfs"));
  expect(mountdiskImgCacheDir()).toBe(join(homedir(), ".cache/machinen/mountdisk"));
  vi.stubEnv("MACHINEN_CACHE_DIR", directory);
  expect(rootfsImgCacheDir()).toBe(join(directory, "rootfs"));
  expect(mountdiskImgCacheDir()).toBe(join(directory, "mountdisk"));
  vi.stubEnv("MACHINEN_CACHE_DIR", "relative");
  expect(rootfsImgCacheDir()).toBe(join(process.cwd(), "relative/rootfs"));
});

test("images are named by absolute paths, wherever they are kept", () => {
  const cacheDir = relative(process.cwd(), join(directory, "cache"));
  const tree = join(directory, "tree");
  mkdirSync(tree);
  writeFileSync(join(tree, "file"), "x");
  const tarball = join(directory, "image.tar");
  execFileSync("tar", ["-C", tree, "-cf", tarball, "."]);
  const image = ensureRootfsImage(tarball, { cacheDir, minSizeBytes: 1 << 24 });
  const { lowerPath } = ensureMountDiskImage(tree, { cacheDir });
  expect([image, lowerPath].map(dirname)).toEqual([
    join(directory, "cache"),
    join(directory, "cache"),
  ]);
});

test("a boot console is kept under the pid, whole, for its owner alone", () => {
  vi.stubEnv("MACHINEN_DETACHED_LOG_DIR", join(directory, "logs"));
  const path = bootSnapshotPath(123);
  expect(path).toBe(join(directory, "logs/123.boot.log"));
  expect(writeBootSnapshot(path, "first\n")).toBe(true);
  expect(writeBootSnapshot(path, "second\n")).toBe(true);
  expect(readFileSync(path, "utf8")).toBe("second\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(directory, "logs"))).toEqual(["123.boot.log"]);
});

test("a boot console that cannot be written fails nobody", () => {
  writeFileSync(join(directory, "file"), "");
  expect(writeBootSnapshot(join(directory, "file/1.boot.log"), "x")).toBe(false);
});

test.each([
  ["mke2fs", resolveMke2fs, "MACHINEN_MKE2FS"],
  ["mksquashfs", resolveMksquashfs, "MACHINEN_MKSQUASHFS"],
] as const)("%s is the variable's, else the system's", (name, resolve, variable) => {
  const own = join(directory, name);
  writeFileSync(own, "#!/bin/sh\n");
  chmodSync(own, 0o755);
  vi.stubEnv(variable, own);
  expect(resolve()).toBe(own);
  vi.stubEnv(variable, join(directory, "absent"));
  expect(resolve()).toBeUndefined();
  vi.stubEnv(variable, "");
  vi.stubEnv("PATH", directory);
  expect(resolve()).toBe(own);
  // Where `sbin` is not in PATH it is looked for all the same.
  vi.stubEnv("PATH", "");
  expect(existsSync(resolve()!)).toBe(true);
});

test("the VMM is the variable's, else the built one", () => {
  vi.stubEnv("MACHINEN_VMM", "");
  expect(resolveVmmBinary()).toBe(join(packageRoot(), "vmm/build/machinen-vmm"));
  vi.stubEnv("MACHINEN_VMM", "/bin/cat");
  expect(resolveVmmBinary()).toBe("/bin/cat");
  vi.stubEnv("MACHINEN_VMM", join(directory, "absent"));
  expect(resolveVmmBinary).toThrow(expect.objectContaining({ code: "BOOT_VMM_MISSING" }));
});

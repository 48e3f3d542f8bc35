import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  ensureRootfsImage,
  ensureRootfsImageAsync,
  markRootfsImageClean,
  resolveMke2fs,
  rootfsImgCacheDir,
} from "../../../src/runtime/images/index.ts";
import { temporaryDirectory } from "./temporary.ts";

const MIB = 1024 * 1024;
let scratch: string;
let tarball: string;
let cacheDir: string;
const small = () => ({ cacheDir, minSizeBytes: 16 * MIB });

beforeEach(() => {
  scratch = temporaryDirectory();
  cacheDir = join(scratch, "cache");
  const tree = join(scratch, "tree");
  mkdirSync(join(tree, "usr/lib/dev"), { recursive: true });
  mkdirSync(join(tree, "dev"));
  writeFileSync(join(tree, "dev/not-a-node"), "x");
  writeFileSync(join(tree, "usr/lib/dev/kept"), "kept");
  writeFileSync(join(tree, "setuid"), "s");
  chmodSync(join(tree, "setuid"), 0o4755);
  symlinkSync("usr/lib", join(tree, "lib"));
  tarball = join(scratch, "image.tar.gz");
  execFileSync("tar", ["-C", tree, "--owner=1000", "--group=42", "-czf", tarball, "."]);
});

const inImage = (image: string, request: string) =>
  execFileSync("debugfs", ["-R", request, image], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
const phasesOf = (force = false) => {
  const phases: string[] = [];
  const image = ensureRootfsImage(tarball, {
    ...small(),
    force,
    onPhase: (name) => phases.push(name),
  });
  return { image, phases };
};

describe("ensureRootfsImage", () => {
  it("makes a sound sparse ext4 of the tarball, with its owners and modes", () => {
    const { image, phases } = phasesOf();
    expect(phases).toEqual(["sha256", "gunzip-prebake", "tar-extract", "mke2fs"]);
    expect(image).toMatch(/\/[0-9a-f]{64}\.img$/);
    expect(statSync(image).size).toBe(16 * MIB);
    expect(statSync(image).blocks * 512).toBeLessThan(2 * MIB);
    execFileSync("e2fsck", ["-fn", image], { stdio: "ignore" });
    expect(inImage(image, "stat /setuid")).toMatch(/Mode: {2}04755[\s\S]*User: +1000 +Group: +42 /);
    expect(inImage(image, "stat /lib")).toContain('Fast link dest: "usr/lib"');
    expect(inImage(image, "cat /usr/lib/dev/kept")).toBe("kept");
    expect(inImage(image, "ls /dev")).not.toContain("not-a-node");
    expect(readdirSync(cacheDir).filter((name) => name.startsWith(".staging"))).toEqual([]);
  });

  it("is known by the tarball's checksum, and unpacks one that is not compressed without a word of it", () => {
    const plain = join(scratch, "image.tar");
    writeFileSync(plain, gunzipSync(readFileSync(tarball)));
    const phases: string[] = [];
    const image = ensureRootfsImage(plain, { ...small(), onPhase: (name) => phases.push(name) });
    expect(phases).toEqual(["sha256", "tar-extract", "mke2fs"]);
    const checksum = createHash("sha256").update(readFileSync(plain)).digest("hex");
    expect(image).toBe(join(cacheDir, `${checksum}.img`));
  });

  it.each([
    ["ends early", (bytes: Buffer) => bytes.subarray(0, -20)],
    [
      "has a wrong checksum",
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -8), Buffer.alloc(8)]),
    ],
  ])("refuses a compressed tarball that %s", (_what, damage) => {
    writeFileSync(tarball, damage(readFileSync(tarball)));
    expect(() => ensureRootfsImage(tarball, small())).toThrow(
      expect.objectContaining({ code: "PROVISION_INSTALL_HOOK_FAILED" }),
    );
    expect(readdirSync(cacheDir).filter((name) => !name.endsWith(".sha256"))).toEqual([]);
  });

  it("hands out an image again that was released, and builds one again that was not", () => {
    const { image } = phasesOf();
    const inode = statSync(image).ino;
    expect(existsSync(`${image}.ok`)).toBe(false);
    markRootfsImageClean(image);
    expect(existsSync(`${image}.ok`)).toBe(true);
    expect(phasesOf().phases).toEqual(["sha256"]);
    expect(existsSync(`${image}.ok`)).toBe(false);
    expect(statSync(image).ino).toBe(inode);
    expect(phasesOf().phases).toEqual(["sha256", "gunzip-prebake", "tar-extract", "mke2fs"]);
    expect(statSync(image).ino).not.toBe(inode);
    markRootfsImageClean(image);
    expect(phasesOf(true).phases).toContain("mke2fs");
  });

  it("is shared by machines, which write to none, without being released", async () => {
    const image = await ensureRootfsImageAsync(tarball, small());
    const inode = statSync(image).ino;
    expect(await ensureRootfsImageAsync(tarball, small())).toBe(image);
    expect(statSync(image).ino).toBe(inode);
    appendFileSync(image, "written");
    await ensureRootfsImageAsync(tarball, small());
    expect(statSync(image).size).toBe(16 * MIB);
    expect(statSync(image).ino).not.toBe(inode);
  });

  it("checks an image that somebody has written to and released", () => {
    const { image } = phasesOf();
    execFileSync("debugfs", ["-w", "-R", "mkdir /made", image], { stdio: "ignore" });
    markRootfsImageClean(image);
    expect(phasesOf().phases).toEqual(["sha256", "e2fsck"]);
    expect(inImage(image, "stat /made")).toContain("Type: directory");
    markRootfsImageClean(image);
    expect(phasesOf().phases).toEqual(["sha256"]);
    execFileSync("debugfs", ["-w", "-R", "clri /setuid", image], { stdio: "ignore" });
    markRootfsImageClean(image);
    expect(phasesOf().phases).toEqual([
      "sha256",
      "e2fsck",
      "gunzip-prebake",
      "tar-extract",
      "mke2fs",
    ]);
    expect(inImage(image, "stat /setuid")).toContain("Mode: ");
    expect(inImage(image, "stat /made")).toBe("");
  });

  it("makes an image of exactly the size asked for beside the usual one", async () => {
    const usual = await ensureRootfsImageAsync(tarball, small());
    const exact = () =>
      ensureRootfsImageAsync(tarball, { ...small(), sizeBytes: 8 * MIB, exact: true });
    const image = await exact();
    const inode = statSync(image).ino;
    expect([statSync(usual).size, statSync(image).size]).toEqual([16 * MIB, 8 * MIB]);
    expect([await exact(), statSync(image).ino]).toEqual([image, inode]);
  });

  it("survives several builds of the same image at once", async () => {
    const images = await Promise.all([1, 2, 3].map(() => ensureRootfsImageAsync(tarball, small())));
    expect(new Set(images).size).toBe(1);
    execFileSync("e2fsck", ["-fn", images[0]!], { stdio: "ignore" });
    markRootfsImageClean(images[0]!);
    expect(phasesOf().phases).toEqual(["sha256"]);
  });

  it("takes an exact size and extends a smaller image", () => {
    const image = ensureRootfsImage(tarball, { cacheDir, sizeBytes: 20 * MIB });
    expect(statSync(image).size).toBe(20 * MIB);
    const phases: string[] = [];
    const onPhase = (name: string) => phases.push(name);
    markRootfsImageClean(image);
    ensureRootfsImage(tarball, { cacheDir, sizeBytes: 30 * MIB, onPhase });
    expect(phases).toEqual(["sha256", "sparse-extend"]);
    expect(statSync(image).size).toBe(30 * MIB);
    markRootfsImageClean(image);
    ensureRootfsImage(tarball, { cacheDir, sizeBytes: 25 * MIB });
    expect(statSync(image).size).toBe(30 * MIB);
    execFileSync("e2fsck", ["-fn", image], { stdio: "ignore" });
  });

  it("is kept in the user's cache and has 2 GiB, unless told otherwise", () => {
    vi.stubEnv("MACHINEN_CACHE_DIR", "");
    vi.stubEnv("HOME", scratch);
    expect(rootfsImgCacheDir()).toBe(join(scratch, ".cache/machinen/rootfs"));
    const image = ensureRootfsImage(tarball);
    expect(dirname(image)).toBe(rootfsImgCacheDir());
    expect(statSync(image).size).toBe(2048 * MIB);
    expect(statSync(image).blocks * 512).toBeLessThan(8 * MIB);
  });

  it("grows with the content", () => {
    truncateSync(join(scratch, "tree/setuid"), 0);
    writeFileSync(join(scratch, "tree/big"), Buffer.alloc(12 * MIB, 1));
    execFileSync("tar", ["-C", join(scratch, "tree"), "-czf", tarball, "."]);
    const image = ensureRootfsImage(tarball, { ...small(), sizeMultiplier: 3 });
    expect(statSync(image).size).toBeGreaterThanOrEqual(36 * MIB);
  });

  it("leaves nothing half-made when it fails", () => {
    const bad = join(scratch, "bad.tar.gz");
    writeFileSync(bad, "no tarball");
    const fails = (tar: string, code: string, options = {}) =>
      expect(() => ensureRootfsImage(tar, { ...small(), ...options })).toThrow(
        expect.objectContaining({ code }),
      );
    fails(join(scratch, "none"), "PROVISION_BASE_NOT_FOUND");
    fails(bad, "PROVISION_INSTALL_HOOK_FAILED");
    writeFileSync(join(scratch, "tree/big"), Buffer.alloc(4 * MIB, 1));
    execFileSync("tar", ["-C", join(scratch, "tree"), "-czf", tarball, "."]);
    fails(tarball, "PROVISION_INSTALL_HOOK_FAILED", { sizeBytes: 2 * MIB });
    vi.stubEnv("MACHINEN_MKE2FS", join(scratch, "none"));
    expect(resolveMke2fs()).toBeUndefined();
    fails(tarball, "ROOTFS_IMG_TOOL_MISSING");
    expect(readdirSync(cacheDir).filter((name) => !name.endsWith(".sha256"))).toEqual([]);
  });

  it("marks nothing that is not there", () => {
    markRootfsImageClean(join(scratch, "none.img"));
    expect(existsSync(join(scratch, "none.img.ok"))).toBe(false);
  });
});

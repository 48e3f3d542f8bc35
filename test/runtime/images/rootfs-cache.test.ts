import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { collectImages, ensureRootfsImage } from "../../../src/runtime/images/index.ts";
import {
  imagesLimitBytes,
  listImages,
  selectImages,
} from "../../../src/runtime/images/rootfs-cache.ts";
import { temporaryDirectory } from "./temporary.ts";

const MIB = 1024 * 1024;
const HOUR = 60 * 60_000;
let scratch: string;
let caches: string;

beforeEach(() => {
  scratch = temporaryDirectory();
  caches = join(scratch, "rootfs");
});

/** An image of its own for every name. */
function makeImage(name: string): string {
  const tree = join(scratch, name);
  mkdirSync(tree);
  writeFileSync(join(tree, "name"), name);
  writeFileSync(join(tree, "content"), Buffer.alloc(MIB, name));
  const tarball = join(scratch, `${name}.tar`);
  execFileSync("tar", ["-C", tree, "-cf", tarball, "."]);
  return ensureRootfsImage(tarball, { cacheDir: caches, minSizeBytes: 16 * MIB });
}

function usedHoursAgo(image: string, hours: number): void {
  const at = new Date(Date.now() - hours * HOUR);
  utimesSync(`${image}.handed-out`, at, at);
}

describe("the cache of root disks", () => {
  it("lets the least recently used go when it grows over its limit", () => {
    vi.stubEnv("MACHINEN_ROOTFS_MAX_MIB", "3");
    const old = makeImage("old");
    usedHoursAgo(old, 3);
    const kept = makeImage("kept");
    usedHoursAgo(kept, 2);
    expect(readdirSync(caches).filter((name) => name.endsWith(".img"))).toHaveLength(2);
    const fresh = makeImage("fresh");
    expect([old, kept, fresh].map((path) => existsSync(path))).toEqual([false, true, true]);
    expect(existsSync(`${old}.handed-out`)).toBe(false);
    // The note of the tarball whose disk has gone goes too.
    expect(readdirSync(caches).filter((name) => name.endsWith(".sha256"))).toHaveLength(2);
    const rebuilt = ensureRootfsImage(join(scratch, "old.tar"), {
      cacheDir: caches,
      minSizeBytes: 16 * MIB,
    });
    expect(statSync(rebuilt).size).toBe(16 * MIB);
  });

  it("keeps what was handed out just now, however small the limit", () => {
    vi.stubEnv("MACHINEN_ROOTFS_MAX_MIB", "0");
    expect([makeImage("one"), makeImage("two")].map((path) => existsSync(path))).toEqual([
      true,
      true,
    ]);
  });

  it("is emptied of unused images and of leftovers of the dead, on request", () => {
    const unused = makeImage("unused");
    usedHoursAgo(unused, 1);
    const used = makeImage("used");
    const { pid } = spawnSync("true");
    const dead = join(caches, `.staging-${pid}-01`);
    const alive = join(caches, `.staging-${process.pid}-01`);
    for (const path of [dead, alive]) mkdirSync(path);
    const paths = (dryRun: boolean) => collectImages(caches, { dryRun }).map(({ path }) => path);
    expect(paths(true).sort()).toEqual([dead, unused].sort());
    expect(existsSync(unused)).toBe(true);
    expect(collectImages(caches).find(({ path }) => path === unused)!.bytes).toBeGreaterThan(MIB);
    expect([unused, used, dead, alive].map((path) => existsSync(path))).toEqual([
      false,
      true,
      false,
      true,
    ]);
    expect(collectImages(join(caches, "none"))).toEqual([]);
  });
});

describe("selectImages", () => {
  it("takes the oldest until the rest fits", () => {
    const images = [3, 1, 2].map((age) => ({
      path: `${age}`,
      bytes: 10,
      usedAtMs: -age * HOUR,
    }));
    const select = (limit: number) => selectImages(images, limit, 0).map(({ path }) => path);
    expect(select(30)).toEqual([]);
    expect(select(29)).toEqual(["3"]);
    expect(select(10)).toEqual(["3", "2"]);
    expect(select(-1)).toEqual(["3", "2", "1"]);
  });

  it("has a limit of 8 GiB unless told otherwise", () => {
    expect(imagesLimitBytes({})).toBe(8192 * MIB);
    expect(imagesLimitBytes({ MACHINEN_ROOTFS_MAX_MIB: "x" })).toBe(8192 * MIB);
    expect(imagesLimitBytes({ MACHINEN_ROOTFS_MAX_MIB: "5" })).toBe(5 * MIB);
    expect(listImages("/nonexistent")).toEqual([]);
  });
});

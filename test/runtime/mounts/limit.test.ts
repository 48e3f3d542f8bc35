import { existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { mountdiskImgCacheDir } from "../../../src/runtime/images/index.ts";
import {
  collectMountImages,
  enforceMountLimit,
  mountLimitBytes,
} from "../../../src/runtime/mounts/limit.ts";
import { addEntry, removeEntry } from "../../../src/runtime/registry/index.ts";
import { temporaryDirectory } from "../images/temporary.ts";

const MIB = 1024 * 1024;
let images: string[];

/** Three images of 2 MiB, the first used longest ago. */
beforeEach(() => {
  const scratch = temporaryDirectory();
  vi.stubEnv("MACHINEN_CACHE_DIR", scratch);
  vi.stubEnv("MACHINEN_REGISTRY_DIR", join(scratch, "vms"));
  mkdirSync(mountdiskImgCacheDir(), { recursive: true });
  images = ["a", "b", "c"].map((letter, index) => {
    const path = join(mountdiskImgCacheDir(), `${letter.repeat(64)}.sqfs`);
    writeFileSync(path, Buffer.alloc(2 * MIB, 1));
    for (const name of [`${path}.ok`, `${path}.handed-out`]) writeFileSync(name, "");
    const usedAt = Date.now() / 1000 - 1000 + index * 100;
    utimesSync(`${path}.handed-out`, usedAt, usedAt);
    return path;
  });
});

const there = (): boolean[] => images.map((path) => existsSync(path));

it("leaves images alone while they fit", () => {
  vi.stubEnv("MACHINEN_MOUNTDISK_MAX_MIB", "7");
  enforceMountLimit();
  expect(there()).toEqual([true, true, true]);
  vi.stubEnv("MACHINEN_MOUNTDISK_MAX_MIB", "nonsense");
  expect(mountLimitBytes()).toBe(8192 * MIB);
});

it("removes the least recently used with all that belongs to them, but none a machine uses or is about to", () => {
  vi.stubEnv("MACHINEN_MOUNTDISK_MAX_MIB", "3");
  const entry = { pid: process.pid, socketPath: "", startedAt: Date.now() };
  addEntry({ ...entry, mountDisk: { guest: "/mnt/a", lowerPath: images[0]!, upperPath: "/none" } });
  enforceMountLimit();
  expect(there()).toEqual([true, false, false]);
  expect(existsSync(`${images[1]}.ok`) || existsSync(`${images[1]}.handed-out`)).toBe(false);
  removeEntry(process.pid);
  utimesSync(`${images[0]}.handed-out`, new Date(), new Date());
  vi.stubEnv("MACHINEN_MOUNTDISK_MAX_MIB", "0");
  enforceMountLimit();
  expect(there()).toEqual([true, false, false]);
});

it("leaves to a boot what it was just given, whoever collects", () => {
  utimesSync(`${images[1]}.handed-out`, new Date(), new Date());
  expect(collectMountImages({ dryRun: true }).map(({ path }) => path)).toEqual([
    images[0],
    images[2],
  ]);
  collectMountImages();
  expect(there()).toEqual([false, true, false]);
});

it("removes all that no machine uses when it is told to, and looks first when it is told so", () => {
  writeFileSync(join(mountdiskImgCacheDir(), "not-ours"), "");
  expect(collectMountImages({ dryRun: true }).map(({ path }) => path)).toEqual(images);
  expect(there()).toEqual([true, true, true]);
  expect(collectMountImages().reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThanOrEqual(
    6 * MIB,
  );
  expect(there()).toEqual([false, false, false]);
  expect(existsSync(join(mountdiskImgCacheDir(), "not-ours"))).toBe(true);
});

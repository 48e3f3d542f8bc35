import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { BootError } from "../../../src/runtime/errors.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { BootOptions } from "../../../src/runtime/machine/boot-options.ts";
import { list } from "../../../src/runtime/registry/index.ts";
import { rejection, useScratch } from "./scratch.ts";

/** What our VMM refuses before there is a machine: none of it comes to a guest. */
const scratch = useScratch();
const kernel = join(scratch.path, "kernel");
const directory = join(scratch.path, "directory");
const empty = join(scratch.path, "empty");

beforeAll(() => {
  writeFileSync(kernel, "as good as any");
  writeFileSync(empty, "");
  mkdirSync(directory);
});
afterEach(() => {
  expect(list()).toEqual([]);
  expect(scratch.runDirs()).toEqual([]);
});
afterAll(() => scratch.remove());

const withEnv = (vmmEnv: Record<string, string>): BootOptions => ({ kernel, vmmEnv });
const cases: Array<[string, BootOptions, string, RegExp]> = [
  ["no kernel", {}, "BOOT_KERNEL_NOT_FOUND", /^kernel: is not set$/],
  ["an empty kernel", { kernel: empty }, "BOOT_KERNEL_NOT_FOUND", /^kernel: .*empty or no file/],
  ["a directory as kernel", { kernel: directory }, "BOOT_KERNEL_NOT_FOUND", /directory/],
  [
    "no QEMU",
    withEnv({ MACHINEN_QEMU: "/nowhere/qemu" }),
    "BOOT_VMM_MISSING",
    /cannot start '\/nowhere\/qemu': No such file/,
  ],
  [
    "a QEMU that ends",
    withEnv({ MACHINEN_QEMU: "/bin/false" }),
    "BOOT_DETACHED_READINESS_FAILED",
    /ended before it was ready \(status 3\); its console ends with:\nQEMU/,
  ],
  ["too little memory", withEnv({ MACHINEN_MEMORY: "1" }), "BOOT_MEMORY_INVALID", /^memory: '1'/],
  ["too many processors", withEnv({ MACHINEN_CPUS: "99" }), "BOOT_CPUS_INVALID", /^cpus: '99'/],
  ["no disk", withEnv({ MACHINEN_ROOTDISK: empty }), "BOOT_IMAGE_NOT_FOUND", /^rootDisk: /],
  [
    "an empty scratch disk",
    { kernel, snapshot: empty },
    "BOOT_SNAPSHOT_INVALID",
    /^snapshot: .*512/,
  ],
  [
    "a device as one",
    { kernel, snapshot: "/dev/null" },
    "BOOT_SNAPSHOT_INVALID",
    /no regular file/,
  ],
  ["no mount", withEnv({ MACHINEN_MOUNT_LOWER: empty }), "BOOT_MOUNT_INVALID", /^mount: /],
  [
    "a live mount that is none",
    withEnv({ MACHINEN_LIVE_MOUNTS: "here" }),
    "BOOT_MOUNT_INVALID",
    /^liveMounts: /,
  ],
  ["no ports", withEnv({ MACHINEN_FORWARD: "80" }), "BOOT_PORT_FORWARD_INVALID", /^portForward: /],
  [
    "no state",
    withEnv({ MACHINEN_INCOMING: "bundle:/nowhere" }),
    "BOOT_SNAPSHOT_NOT_FOUND",
    /nowhere/,
  ],
  [
    "an accelerator of no kind",
    withEnv({ MACHINEN_ACCEL: "magic" }),
    "BOOT_DETACHED_READINESS_FAILED",
    /MACHINEN_ACCEL: must be tcg or kvm/,
  ],
];

test.each([true, false])(
  "boot() rejects with BOOT_PACK_FAILED for an image that is no tarball (on a disk: %s)",
  async (rootDisk) => {
    const image = join(scratch.path, "image.tar");
    writeFileSync(image, "as good as none".repeat(1000));
    vi.stubEnv("MACHINEN_CACHE_DIR", join(scratch.path, "cache"));
    const error = await rejection(boot({ image, kernel, cmd: [], rootDisk }));
    vi.unstubAllEnvs();
    expect(error).toBeInstanceOf(BootError);
    expect([error.code, error.message]).toEqual([
      "BOOT_PACK_FAILED",
      expect.stringContaining(image),
    ]);
  },
);

describe.each([false, true])(
  "boot() with detached: %s rejects when the VMM refuses",
  (detached) => {
    test.each(cases)("%s", async (_, options, code, message) => {
      const error = await rejection(boot({ ...options, detached }));
      expect(error.code).toBe(code);
      expect(error.message).toMatch(message);
    });
  },
);

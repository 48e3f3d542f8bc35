import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isMachinenError } from "../../../src/runtime/errors.ts";
import { warmImageConfigCache } from "../../../src/runtime/images/index.ts";
import type { BootOptions } from "../../../src/runtime/machine/boot-options.ts";
import { planBoot } from "../../../src/runtime/machine/plan-boot.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
const image = join(scratch.path, "image.tar");
const file = join(scratch.path, "file");

beforeAll(() => {
  writeFileSync(image, Buffer.alloc(10240));
  writeFileSync(file, "");
  process.env.XDG_CACHE_HOME = join(scratch.path, "cache");
});
afterAll(() => scratch.remove());

function codeOf(opts: BootOptions): string | undefined {
  try {
    planBoot({ binary: "/bin/cat", ...opts });
  } catch (error) {
    if (isMachinenError(error)) return error.code;
    throw error;
  }
  return undefined;
}

const guest = { image, kernel: file, cmd: ["true"] };

describe("planBoot", () => {
  const refused: Array<[string, BootOptions, string]> = [
    ["no such program", { binary: "/nowhere/vmm" }, "BOOT_VMM_MISSING"],
    ["a directory as program", { binary: "/usr" }, "BOOT_VMM_MISSING"],
    ["no such image", { image: "/nowhere/image.tar" }, "BOOT_IMAGE_NOT_FOUND"],
    ["no such scratch disk", { snapshot: "/nowhere" }, "BOOT_SNAPSHOT_NOT_FOUND"],
    ["no such kernel", { ...guest, kernel: "/nowhere" }, "BOOT_KERNEL_NOT_FOUND"],
    ["no such device tree", { ...guest, dtb: "/nowhere" }, "BOOT_DTB_NOT_FOUND"],
    ["a command without image", { cmd: ["true"] }, "BOOT_CMD_WITHOUT_IMAGE"],
    ["an image without command", { image, kernel: file }, "BOOT_CMD_MISSING"],
    ["no such root disk", { ...guest, rootDisk: "/nowhere" }, "BOOT_IMAGE_NOT_FOUND"],
    ["a relative guestCwd", { guestCwd: "work" }, "BOOT_CWD_INVALID"],
    ["a NUL in guestCwd", { guestCwd: "/a\0b" }, "BOOT_CWD_INVALID"],
    ["a mount outside /mnt", { mount: { host: "/tmp", guest: "/data" } }, "BOOT_MOUNT_INVALID"],
    [
      "a mount that climbs out",
      { mount: { host: "/tmp", guest: "/mnt/../etc" } },
      "BOOT_MOUNT_INVALID",
    ],
    [
      "a live mount outside /mnt",
      { liveMounts: [{ host: "/tmp", guest: "/srv/a" }] },
      "BOOT_MOUNT_INVALID",
    ],
    ["/mnt itself", { mount: { host: "/tmp", guest: "/mnt/" } }, "BOOT_MOUNT_INVALID"],
    [
      "a mount of nothing",
      { mount: { host: "/nowhere", guest: "/mnt/a" } },
      "BOOT_MOUNT_HOST_NOT_FOUND",
    ],
    ["a mount of a file", { mount: { host: file, guest: "/mnt/a" } }, "BOOT_MOUNT_INVALID"],
    ["an odd upper size", { mountDiskUpperSizeBytes: 5000 }, "BOOT_MOUNT_INVALID"],
    [
      "two shares at one place",
      {
        liveMounts: [
          { host: "/tmp", guest: "/mnt/a" },
          { host: "/usr", guest: "/mnt/a/" },
        ],
      },
      "BOOT_MOUNT_INVALID",
    ],
    [
      "a live mount of nothing",
      { liveMounts: [{ host: "/nowhere", guest: "/mnt/a" }] },
      "BOOT_MOUNT_HOST_NOT_FOUND",
    ],
    [
      "a live mount in another",
      {
        liveMounts: [
          { host: "/tmp", guest: "/mnt/a/b" },
          { host: "/usr", guest: "/mnt/a" },
        ],
      },
      "BOOT_MOUNT_INVALID",
    ],
    ["port 0", { portForward: [{ hostPort: 0, guestPort: 80 }] }, "BOOT_PORT_FORWARD_INVALID"],
    [
      "a port too high",
      { portForward: [{ hostPort: 80, guestPort: 65536 }] },
      "BOOT_PORT_FORWARD_INVALID",
    ],
    [
      "a host name as address",
      { portForward: [{ hostPort: 80, guestPort: 80, hostAddr: "localhost" }] },
      "BOOT_PORT_FORWARD_INVALID",
    ],
    [
      "an IPv6 address",
      { portForward: [{ hostPort: 80, guestPort: 80, hostAddr: "::1" }] },
      "BOOT_PORT_FORWARD_INVALID",
    ],
    [
      "a forward without a network",
      { network: false, portForward: [{ hostPort: 80, guestPort: 80 }] },
      "BOOT_PORT_FORWARD_INVALID",
    ],
    [
      "one port twice",
      {
        portForward: [
          { hostPort: 80, guestPort: 80 },
          { hostPort: 80, guestPort: 81, hostAddr: "0.0.0.0" },
        ],
      },
      "BOOT_PORT_FORWARD_CONFLICT",
    ],
    ["half a MiB", { memory: 512.5 }, "BOOT_MEMORY_INVALID"],
    ["no memory", { memory: 0 }, "BOOT_MEMORY_INVALID"],
    ["half a processor", { cpus: 1.5 }, "BOOT_CPUS_INVALID"],
    ["too many processors", { cpus: 65 }, "BOOT_CPUS_INVALID"],
    ["a disk without room", { ...guest, rootDiskSizeBytes: 0 }, "BOOT_PACK_FAILED"],
    ["half a byte of disk", { ...guest, rootDiskSizeBytes: 4096.5 }, "BOOT_PACK_FAILED"],
    ["a disk no VMM takes", { ...guest, rootDiskSizeBytes: 2 ** 43 }, "BOOT_PACK_FAILED"],
    ["a bad variable", { ...guest, env: { "A=B": "c" } }, "BOOT_PACK_FAILED"],
  ];
  test.each(refused)("refuses %s", (_what, opts, code) => {
    expect(codeOf(opts)).toBe(code);
  });

  test("says first what is documented first", () => {
    const wrong: BootOptions = { image: "/nowhere", kernel: "/nowhere", memory: 0, guestCwd: "x" };
    expect(codeOf(wrong)).toBe("BOOT_IMAGE_NOT_FOUND");
    expect(codeOf({ ...wrong, image })).toBe("BOOT_KERNEL_NOT_FOUND");
    expect(codeOf({ ...wrong, image, kernel: file })).toBe("BOOT_CMD_MISSING");
    expect(codeOf({ ...wrong, ...guest })).toBe("BOOT_CWD_INVALID");
    expect(codeOf({ ...wrong, ...guest, guestCwd: "/" })).toBe("BOOT_MEMORY_INVALID");
  });

  test("takes from the image what the caller does not say, and the caller's word for the rest", () => {
    const baked = { cmd: ["baked"], env: { A: "baked", B: "baked" }, cwd: "/baked" };
    const own = join(scratch.path, "own.tar");
    writeFileSync(own, Buffer.alloc(10240));
    warmImageConfigCache(own, baked);
    const planOf = (opts: BootOptions) =>
      planBoot({ binary: "/bin/cat", image: own, kernel: file, ...opts }).guest;
    expect(planOf({})).toMatchObject({ cmd: ["baked"], env: baked.env, imageCwd: "/baked" });
    expect(planOf({ cmd: ["mine"], env: { B: "mine", C: "mine" } })).toMatchObject({
      cmd: ["mine"],
      env: { A: "baked", B: "mine", C: "mine" },
    });
    expect(planOf({ cmd: [] })?.cmd).toEqual([]);
  });

  test("takes a mount's directory from cwd, and its place as it is meant", () => {
    const mount = { host: "tree", guest: "/mnt//a/./b/" };
    mkdirSync(join(scratch.path, "tree"));
    const { mount: planned } = planBoot({ binary: "/bin/cat", cwd: scratch.path, mount });
    const directory = join(scratch.path, "tree");
    expect(planned).toEqual({ host: directory, guest: "/mnt/a/b", upperBytes: 4 * 1024 ** 3 });
  });

  test("takes any size for the disk it makes, and none for another", () => {
    const diskOf = (opts: BootOptions) =>
      planBoot({ binary: "/bin/cat", ...guest, ...opts }).guest?.rootDisk;
    expect(diskOf({ rootDiskSizeBytes: 3_000_000_000 })).toEqual({
      kind: "image",
      bytes: 3_000_000_512,
    });
    expect(diskOf({ rootDisk: file, rootDiskSizeBytes: 0 })).toEqual({ kind: "file", path: file });
    expect(diskOf({ rootDisk: false, rootDiskSizeBytes: 0 })).toBeUndefined();
  });

  test("takes relative paths from cwd", () => {
    const plan = planBoot({
      binary: "/bin/cat",
      cwd: scratch.path,
      image: "./image.tar",
      kernel: "file",
      cmd: [],
      rootDisk: "file",
    });
    expect(plan).toMatchObject({
      kernel: file,
      guest: { image, cmd: [], rootDisk: { kind: "file", path: file } },
    });
  });

  test("finds a program relative to cwd and refuses one that is not executable", () => {
    mkdirSync(join(scratch.path, "bin"));
    const program = join(scratch.path, "bin", "vmm");
    writeFileSync(program, "#!/bin/sh\n");
    chmodSync(program, 0o644);
    expect(codeOf({ binary: "bin/vmm", cwd: scratch.path })).toBe("BOOT_VMM_MISSING");
    chmodSync(program, 0o755);
    expect(planBoot({ binary: "bin/vmm", cwd: scratch.path }).binary).toBe(program);
  });
});

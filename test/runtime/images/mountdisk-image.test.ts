import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  ensureMountDiskImage,
  ensureMountDiskUpper,
  markMountDiskImageClean,
} from "../../../src/runtime/images/index.ts";
import { temporaryDirectory } from "./temporary.ts";

let scratch: string;
let host: string;
let cacheDir: string;

beforeEach(() => {
  scratch = temporaryDirectory();
  host = join(scratch, "host");
  cacheDir = join(scratch, "cache");
  mkdirSync(join(host, "sub"), { recursive: true });
  writeFileSync(join(host, "sub/file"), "content");
  symlinkSync("sub", join(host, "link"));
});

describe("ensureMountDiskImage", () => {
  it("packs a directory once per content", () => {
    const phases: string[] = [];
    const options = { cacheDir, onPhase: (name: string) => phases.push(name) };
    const first = ensureMountDiskImage(host, options);
    expect(phases).toEqual(["manifest-hash", "mksquashfs", "staging-rename"]);
    const content = execFileSync("unsquashfs", ["-cat", first.lowerPath, "sub/file"]);
    expect(content.toString()).toBe("content");

    phases.length = 0;
    expect(ensureMountDiskImage(host, options)).toEqual(first);
    markMountDiskImageClean(first.lowerPath);
    expect(ensureMountDiskImage(host, options)).toEqual(first);
    expect(phases).toEqual(["manifest-hash", "manifest-hash"]);

    rmSync(join(host, "link"));
    symlinkSync("sub/file", join(host, "link"));
    expect(ensureMountDiskImage(host, { cacheDir }).key).not.toBe(first.key);
    expect(readdirSync(cacheDir).filter((name) => name.startsWith(".staging"))).toEqual([]);
  });

  it("refuses what cannot be mounted", () => {
    const refused = (path: string, code: string) =>
      expect(() => ensureMountDiskImage(path, { cacheDir })).toThrow(
        expect.objectContaining({ code }),
      );
    refused(join(scratch, "none"), "BOOT_MOUNT_HOST_NOT_FOUND");
    refused(join(host, "sub/file"), "BOOT_MOUNT_INVALID");
    vi.stubEnv("MACHINEN_MKSQUASHFS", join(scratch, "none"));
    refused(host, "BOOT_MOUNTDISK_TOOL_MISSING");
  });
});

describe("ensureMountDiskUpper", () => {
  it("makes an empty sparse ext4, a new one each time", () => {
    const sizeBytes = 32 * 1024 * 1024;
    const uppers = [1, 2].map(() => ensureMountDiskUpper({ sizeBytes }));
    try {
      expect(uppers[0]!.upperPath).not.toBe(uppers[1]!.upperPath);
      for (const { upperPath, sizeBytes: size } of uppers) {
        expect(size).toBe(sizeBytes);
        expect(statSync(upperPath).size).toBe(sizeBytes);
        expect(statSync(upperPath).mode & 0o777).toBe(0o600);
        execFileSync("e2fsck", ["-fn", upperPath], { stdio: "ignore" });
      }
    } finally {
      for (const { upperPath } of uppers) rmSync(dirname(upperPath), { recursive: true });
    }
  });

  it("says which tool is missing", () => {
    vi.stubEnv("MACHINEN_MKE2FS", join(scratch, "none"));
    expect(() => ensureMountDiskUpper()).toThrow(
      expect.objectContaining({ code: "BOOT_MOUNTDISK_TOOL_MISSING" }),
    );
  });
});

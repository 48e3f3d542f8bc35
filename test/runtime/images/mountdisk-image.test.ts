import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  ensureMountDiskImage,
  ensureMountDiskImageAsync,
  ensureMountDiskUpper,
  ensureSharedUpperAsync,
  markMountDiskImageClean,
  mountdiskImgCacheDir,
} from "../../../src/runtime/images/index.ts";
import { temporaryDirectory } from "./temporary.ts";

let scratch: string;
let host: string;
let cacheDir: string;

beforeEach(() => {
  scratch = temporaryDirectory();
  host = join(scratch, "host");
  cacheDir = join(scratch, "cache");
  vi.stubEnv("MACHINEN_CACHE_DIR", join(scratch, "caches"));
  mkdirSync(join(host, "sub"), { recursive: true });
  writeFileSync(join(host, "sub/file"), "content");
  symlinkSync("sub", join(host, "link"));
});

describe("ensureMountDiskImage", () => {
  it("packs a directory once per content, as long as its image is released", async () => {
    const phases: string[] = [];
    const options = { cacheDir, onPhase: (name: string) => phases.push(name) };
    const first = ensureMountDiskImage(host, options);
    expect(phases).toEqual(["manifest-hash", "mksquashfs", "staging-rename"]);
    const content = execFileSync("unsquashfs", ["-cat", first.lowerPath, "sub/file"]);
    expect(content.toString()).toBe("content");

    phases.length = 0;
    markMountDiskImageClean(first.lowerPath);
    expect(ensureMountDiskImage(host, options)).toEqual(first);
    expect(phases).toEqual(["manifest-hash"]);
    expect(ensureMountDiskImage(host, options)).toEqual(first);
    expect(phases.slice(1)).toEqual(["manifest-hash", "mksquashfs", "staging-rename"]);
    // Machines write to none: they share one.
    phases.length = 0;
    expect(await ensureMountDiskImageAsync(host, options)).toEqual(first);
    expect(phases).toEqual(["manifest-hash"]);

    rmSync(join(host, "link"));
    symlinkSync("sub/file", join(host, "link"));
    expect(ensureMountDiskImage(host, { cacheDir }).key).not.toBe(first.key);
    expect(readdirSync(cacheDir).filter((name) => name.startsWith(".staging"))).toEqual([]);
  });

  it("packs again when it is told to, keeps images in the user's cache, and marks none that is not there", () => {
    const { lowerPath } = ensureMountDiskImage(host);
    expect(dirname(lowerPath)).toBe(mountdiskImgCacheDir());
    expect(existsSync(`${lowerPath}.ok`)).toBe(false);
    markMountDiskImageClean(lowerPath);
    expect(existsSync(`${lowerPath}.ok`)).toBe(true);
    const phases: string[] = [];
    ensureMountDiskImage(host, { force: true, onPhase: (name) => phases.push(name) });
    expect(phases).toContain("mksquashfs");
    markMountDiskImageClean(join(scratch, "none.sqfs"));
    expect(existsSync(join(scratch, "none.sqfs.ok"))).toBe(false);
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

/** A mksquashfs that does something else first. */
function useMksquashfs(script: string): void {
  const path = join(scratch, "mksquashfs");
  writeFileSync(path, `#!/bin/sh\n${script}\nexec mksquashfs "$@"\n`, { mode: 0o755 });
  vi.stubEnv("MACHINEN_MKSQUASHFS", path);
}

describe("packing a directory", () => {
  const packed = (path: string) =>
    execFileSync("unsquashfs", ["-lls", "-d", "", path], { encoding: "utf8" });
  const left = () => readdirSync(cacheDir).filter((name) => name.startsWith("."));

  it("goes by what is in it, not by where it is, whose it is or how it got there", async () => {
    const key = ensureMountDiskImage(host, { cacheDir }).key;
    const copy = join(scratch, "copy");
    execFileSync("cp", ["-a", host, copy]);
    if (process.getuid?.() === 0) execFileSync("chown", ["-R", "12:34", copy]);
    symlinkSync(copy, join(scratch, "way"));
    const same = await ensureMountDiskImageAsync(join(scratch, "way"), { cacheDir });
    expect(same.key).toBe(key);
    expect(packed(same.lowerPath)).toMatch(/^-\S+ root\/root .* \/sub\/file$/m);
    for (const change of [
      () => chmodSync(join(copy, "sub/file"), 0o600),
      () => utimesSync(join(copy, "sub/file"), 1, 1),
      () => writeFileSync(join(copy, "new"), ""),
    ]) {
      const before = ensureMountDiskImage(copy, { cacheDir }).key;
      change();
      expect(ensureMountDiskImage(copy, { cacheDir }).key).not.toBe(before);
    }
  });

  it("reads a directory that nobody has touched only once", () => {
    utimesSync(join(host, "sub/file"), 1, 1);
    const { key } = ensureMountDiskImage(host, { cacheDir });
    // Just written: another write within the same tick of the clock would not show.
    expect(readdirSync(join(scratch, "caches/digests"))).toEqual([]);
    vi.useFakeTimers({ now: Date.now() + 10_000, toFake: ["Date"] });
    try {
      expect(ensureMountDiskImage(host, { cacheDir }).key).toBe(key);
      const notes = readdirSync(join(scratch, "caches/digests"));
      expect(
        notes.map((name) => readFileSync(join(scratch, "caches/digests", name), "utf8")),
      ).toEqual([key]);
      const forged = "0".repeat(64);
      writeFileSync(join(scratch, "caches/digests", notes[0]!), forged);
      expect(ensureMountDiskImage(host, { cacheDir }).key).toBe(forged);
    } finally {
      vi.useRealTimers();
    }
  });

  it("starts again when the directory changes meanwhile, and gives up when it always does", async () => {
    const once = join(scratch, "once");
    useMksquashfs(`[ -e ${once} ] || { touch ${once}; echo changed > ${host}/sub/file; }`);
    const { lowerPath } = await ensureMountDiskImageAsync(host, { cacheDir });
    const content = execFileSync("unsquashfs", ["-cat", lowerPath, "sub/file"]);
    expect(content.toString()).toBe("changed\n");

    for (const script of [
      `date +%N >> ${host}/sub/file`,
      `rm -f ${host}/link-$$; touch ${host}/$$`,
    ]) {
      writeFileSync(join(host, "sub/file"), script);
      useMksquashfs(script);
      await expect(ensureMountDiskImageAsync(host, { cacheDir })).rejects.toMatchObject({
        code: "BOOT_MOUNT_INVALID",
        retryable: true,
        message: expect.stringContaining("kept changing"),
      });
    }
    expect(left()).toEqual([]);
  });

  it("says what the tool says when that fails, and leaves nothing", () => {
    useMksquashfs("echo 'Write failed because No space left on device' >&2; exit 1");
    expect(() => ensureMountDiskImage(host, { cacheDir })).toThrow(
      expect.objectContaining({
        code: "PROVISION_INSTALL_HOOK_FAILED",
        message: expect.stringContaining("No space left on device"),
      }),
    );
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)("names what it may not read", () => {
    chmodSync(join(host, "sub/file"), 0);
    expect(() => ensureMountDiskImage(host, { cacheDir })).toThrow(
      expect.objectContaining({
        code: "BOOT_MOUNT_INVALID",
        message: expect.stringContaining("sub/file"),
      }),
    );
  });

  it("removes what builders left that were killed, and nothing of those that live", () => {
    mkdirSync(join(cacheDir, ".staging-4194304-0000"), { recursive: true });
    mkdirSync(join(cacheDir, `.staging-${process.pid}-0000`));
    ensureMountDiskImage(host, { cacheDir });
    expect(left()).toEqual([`.staging-${process.pid}-0000`]);
  });
});

describe("the writable layer all machines start from", () => {
  it("is made once for each size, whole, and comes back from a crash by itself", async () => {
    const paths = await Promise.all([1, 2].map(() => ensureSharedUpperAsync(512 << 20)));
    expect(paths[0]).toBe(paths[1]);
    const { ino } = statSync(paths[0]!);
    expect(await ensureSharedUpperAsync(512 << 20)).toBe(paths[0]);
    expect(statSync(paths[0]!).ino).toBe(ino);
    expect(await ensureSharedUpperAsync(64 << 20)).not.toBe(paths[0]);
    execFileSync("e2fsck", ["-fn", paths[0]!], { stdio: "ignore" });
    const shown = execFileSync("dumpe2fs", ["-h", paths[0]!], { encoding: "utf8", stdio: "pipe" });
    expect(shown).toMatch(/features:.*has_journal/);
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

  it("has 4 GiB unless told otherwise, which take no room, in the directory for temporary files", () => {
    vi.stubEnv("TMPDIR", scratch);
    const { upperPath, sizeBytes } = ensureMountDiskUpper();
    expect(upperPath.startsWith(`${scratch}/`)).toBe(true);
    expect([sizeBytes, statSync(upperPath).size]).toEqual([4 * 1024 ** 3, 4 * 1024 ** 3]);
    expect(statSync(upperPath).blocks * 512).toBeLessThan(32 << 20);
    vi.stubEnv("TMPDIR", relative(process.cwd(), scratch));
    const small = ensureMountDiskUpper({ sizeBytes: 16 << 20 });
    expect(small.upperPath.startsWith(`${scratch}/`)).toBe(true);
  });

  it("says what the tool says when that fails, and leaves nothing", () => {
    const tool = join(scratch, "mke2fs");
    writeFileSync(tool, "#!/bin/sh\necho 'no room' >&2; exit 1\n", { mode: 0o755 });
    vi.stubEnv("MACHINEN_MKE2FS", tool);
    vi.stubEnv("TMPDIR", join(scratch, "temporary"));
    mkdirSync(join(scratch, "temporary"));
    expect(() => ensureMountDiskUpper()).toThrow(
      expect.objectContaining({
        code: "PROVISION_INSTALL_HOOK_FAILED",
        message: expect.stringContaining("no room"),
      }),
    );
    expect(readdirSync(join(scratch, "temporary"))).toEqual([]);
  });

  it("says which tool is missing", () => {
    vi.stubEnv("MACHINEN_MKE2FS", join(scratch, "none"));
    expect(() => ensureMountDiskUpper()).toThrow(
      expect.objectContaining({ code: "BOOT_MOUNTDISK_TOOL_MISSING" }),
    );
  });
});

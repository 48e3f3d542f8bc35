import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { packBootInitramfs } from "../../../src/runtime/images/index.ts";
import { listCpio, unpackCpio } from "./cpio-tools.ts";
import { temporaryDirectory } from "./temporary.ts";

let scratch: string;
let out: string;
let initPath: string;
let modulesDir: string;
let image: string;
let cacheDir: string;

beforeEach(() => {
  scratch = temporaryDirectory();
  out = join(scratch, "out.cpio");
  initPath = join(scratch, "init");
  writeFileSync(initPath, "init 1");
  modulesDir = join(scratch, "modules");
  mkdirSync(modulesDir);
  writeFileSync(join(modulesDir, "virtio.ko"), "module");
  writeFileSync(join(modulesDir, "modules.list"), "/lib/machinen/modules/virtio.ko\n");
  const tree = join(scratch, "tree");
  mkdirSync(join(tree, "etc"), { recursive: true });
  writeFileSync(join(tree, "etc/passwd"), "root");
  writeFileSync(join(tree, "init"), "the image's own");
  writeFileSync(join(tree, "machinen-config.json"), '{"cmd":["image"]}');
  image = join(scratch, "image.tar.gz");
  execFileSync("tar", ["-C", tree, "-czf", image, "."]);
  cacheDir = join(scratch, "cache");
});

const pack = (config: object, inRam = true) =>
  packBootInitramfs({
    image: inRam ? image : undefined,
    config,
    out,
    initPath,
    modulesDir,
    cacheDir,
  });

/** The two archives behind each other; GNU cpio, unlike the kernel, stops after the first. */
function unpackBoth(): { root: string; tail: string } {
  const bytes = readFileSync(out);
  const [base] = readdirSync(cacheDir).map((name) => readFileSync(join(cacheDir, name)));
  const size = base!.length;
  expect(bytes.subarray(0, size).equals(base!)).toBe(true);
  expect(size % 4).toBe(0);
  const tail = join(scratch, "tail.cpio");
  writeFileSync(tail, bytes.subarray(size));
  return { root: unpackCpio(out), tail };
}

describe("packBootInitramfs", () => {
  it("holds the image, our init, the modules, and then the VM's configuration", () => {
    pack({ hostname: "one" });
    const { root, tail } = unpackBoth();
    const own = listCpio(tail);
    expect(readFileSync(join(root, "etc/passwd"), "utf8")).toBe("root");
    expect(readFileSync(join(root, "init"), "utf8")).toBe("init 1");
    expect(readFileSync(join(root, "lib/machinen/modules/virtio.ko"), "utf8")).toBe("module");
    expect(readFileSync(join(root, "lib/machinen/modules.list"), "utf8")).toContain("virtio.ko");
    expect(listCpio(out).get("dev/console")).toMatch(/ 5, 1 /);
    expect([...own.keys()]).toEqual(["machinen-config.json"]);
    expect(own.get("machinen-config.json")).toMatch(/^-rw------- /);
    expect(readFileSync(out).includes('{"hostname":"one"}')).toBe(true);
    expect(statSync(out).mode & 0o777).toBe(0o600);
  });

  it("needs no image when the root is a disk", () => {
    pack({ rootdisk: true }, false);
    const { root, tail } = unpackBoth();
    expect(readdirSync(root).sort()).toEqual(["dev", "init", "lib", "proc", "run", "sys", "tmp"]);
    const config = readFileSync(join(unpackCpio(tail), "machinen-config.json"), "utf8");
    expect(config).toBe('{"rootdisk":true}');
  });

  it("uses its base again until an input changes", () => {
    pack({ a: 1 });
    const [first] = readdirSync(cacheDir);
    const inode = statSync(join(cacheDir, first!)).ino;
    pack({ a: 2 });
    expect(readdirSync(cacheDir)).toEqual([first]);
    expect(statSync(join(cacheDir, first!)).ino).toBe(inode);
    expect(readFileSync(out).includes('{"a":2}')).toBe(true);

    // The same size and time are not enough to be taken for the same file.
    const { atime, mtime } = statSync(initPath);
    writeFileSync(initPath, "init 2");
    utimesSync(initPath, atime, mtime);
    pack({ a: 3 });
    expect(readFileSync(join(unpackCpio(out), "init"), "utf8")).toBe("init 2");
    expect(readdirSync(cacheDir)).toHaveLength(2);
  });

  it("forgets bases that are no longer used", () => {
    for (let round = 0; round < 11; round++) {
      writeFileSync(initPath, "i".repeat(round + 1));
      pack({});
    }
    expect(readdirSync(cacheDir).length).toBeLessThanOrEqual(9);
  });

  it("says what is missing", () => {
    const pieces = { config: {}, out, cacheDir };
    expect(() => packBootInitramfs({ ...pieces, initPath, modulesDir: scratch })).toThrow(
      expect.objectContaining({
        code: "BOOT_KERNEL_NOT_FOUND",
        message: expect.stringContaining("machinen install kernel"),
      }),
    );
    expect(() => packBootInitramfs({ ...pieces, initPath: `${initPath}x`, modulesDir })).toThrow(
      expect.objectContaining({ code: "MKINITRAMFS_INIT_MISSING" }),
    );
    writeFileSync(image, "damaged");
    expect(() => packBootInitramfs({ ...pieces, image, initPath, modulesDir })).toThrow(
      expect.objectContaining({ code: "MKINITRAMFS_BASE_EXTRACT_FAILED" }),
    );
    expect(() => statSync(out)).toThrow();
  });
});

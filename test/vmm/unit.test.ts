import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/runtime/package-root.ts";
import { make } from "../make.ts";
import { scratchDirectory } from "./machine.ts";

const vmm = join(packageRoot(), "vmm");
const scratch = scratchDirectory();
const unitTests = (...args: string[]) =>
  execFileSync(join(vmm, "build/asan/unit-tests"), args, { stdio: "pipe", encoding: "utf8" });

beforeAll(() => {
  make("vmm", "asan");
}, 180_000);
afterAll(() => scratch.remove());

describe("the VMM's pure parts, under sanitizers", () => {
  it.each([
    "json",
    "json-fuzz",
    "sha256",
    "config",
    "captured",
    "fit",
    "copy",
    "delta",
    "lease-signal",
    "livemount-check",
    "frames",
    "frame-filter",
    "ports",
  ])(
    "%s",
    (name) => {
      expect(unitTests(name)).toBe("");
    },
    60_000,
  );

  describe("what its control groups leave it", () => {
    let count = 0;
    /** Files of a made-up /sys/fs/cgroup; the answer is what may still be taken of it. */
    function left(groups: string, files: Record<string, string>): number {
      const mount = join(scratch.path, `cgroup-${count++}`);
      for (const [name, text] of Object.entries({ ...files, groups })) {
        mkdirSync(join(mount, name, ".."), { recursive: true });
        writeFileSync(join(mount, name), `${text}\n`);
      }
      return Number(unitTests("cgroup", join(mount, "groups"), mount));
    }
    const unlimited = 2 ** 64;
    const stat = "anon 1\nactive_file 100\ninactive_file 20\nunevictable 5";

    it("is the least of all those above it, in either kind of hierarchy", () => {
      const two = {
        "a/b/memory.max": "max",
        "a/b/memory.current": "700",
        "a/memory.max": "1000",
        "a/memory.current": "800",
        "a/memory.stat": stat,
      };
      expect(left("0::/a/b", two)).toBe(320);
      expect(left("0::/a/b", { ...two, "a/b/memory.max": "750" })).toBe(50);
      expect(left("0::/ab", two)).toBe(unlimited);
      const one = {
        "memory/a/memory.limit_in_bytes": "1000",
        "memory/a/memory.usage_in_bytes": "800",
        "memory/a/memory.stat": "active_file 9\ntotal_active_file 100\ntotal_inactive_file 20",
      };
      expect(left("9:cpu,cpuacct:/\n4:memory:/a\n0::/", one)).toBe(320);
      expect(left("4:hugetlb,memory:/a", one)).toBe(320);
      expect(left("4:memoryless:/a", one)).toBe(unlimited);
    });

    it("is known in a container, which sees its own group at the top", () => {
      const own = { "memory.max": "1000", "memory.current": "1100" };
      expect(left("0::/", own)).toBe(0);
      expect(left("0::/docker/0123", own)).toBe(0);
    });

    it("is everything where nothing is limited, or said", () => {
      expect(left("", {})).toBe(unlimited);
      expect(left("nonsense\n0:\n::", {})).toBe(unlimited);
      expect(left("0::/a", { "a/memory.max": "lots", "a/memory.current": "" })).toBe(unlimited);
      expect(Number(unitTests("cgroup", "/nowhere", "/nowhere"))).toBe(unlimited);
    });
  });

  it.each([512, 1_048_576, 10_737_418_240, 2 ** 42])(
    "an empty overlay of %d bytes is sound qcow2",
    (size) => {
      const file = join(scratch.path, `overlay-${size}`);
      unitTests("qcow2", file, String(size));
      execFileSync("qemu-img", ["check", "-q", file]);
      const info = JSON.parse(
        execFileSync("qemu-img", ["info", "--output=json", file], { encoding: "utf8" }),
      );
      expect(info).toMatchObject({ format: "qcow2", "virtual-size": size });
    },
  );

  it("tells an overlay that names other files from one of ours", () => {
    unitTests("self-contained", join(scratch.path, "lies"));
    const file = join(scratch.path, "external.qcow2");
    const data = `data_file=${join(scratch.path, "secret")}`;
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-o", data, file, "1M"]);
    expect(() => unitTests("qcow2-check", file)).toThrow(/names other files/);
  });

  it("joins overlays as QEMU would, and is not led astray by damaged ones", () => {
    const path = (name: string) => join(scratch.path, name);
    const size = 600 << 20; // more than one table of addresses covers
    writeFileSync(path("base"), Buffer.alloc(3 << 20, "base"));
    const io = (image: string, commands: string[]) =>
      execFileSync("qemu-io", [...commands.flatMap((command) => ["-c", command]), image]);
    const node = (layer: number): object => ({
      driver: layer === 0 ? "raw" : "qcow2",
      file: { driver: "file", filename: path(layer === 0 ? "base" : `over-${layer}`) },
      ...(layer === 0 ? {} : { backing: node(layer - 1) }),
    });
    for (const layer of [1, 2]) unitTests("qcow2", path(`over-${layer}`), String(size));
    io(`json:${JSON.stringify(node(1))}`, [
      "write -P 1 100k 70k",
      "write -P 2 599M 1M",
      "write -P 3 520M 64k",
    ]);
    io(`json:${JSON.stringify(node(2))}`, [
      "write -P 4 1M 4k",
      "write -z -u 520M 64k",
      "discard 64k 64k",
      "write -P 5 536870912 512",
    ]);
    const args = ["base", "over-1", "over-2", "joined"].map(path);
    unitTests("join", String(size), ...args);
    execFileSync("qemu-img", [
      ...["convert", "-O", "raw", `json:${JSON.stringify(node(2))}`, path("expected")],
    ]);
    execFileSync("cmp", [path("expected"), path("joined")]);
    unitTests("join-fuzz", String(size), path("base"), path("over-1"));
  });

  it("removes the files of a run directory and the directory, but never through a link or into another", () => {
    const outside = join(scratch.path, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "keep"), "");

    const plain = join(scratch.path, "plain");
    mkdirSync(plain, { mode: 0o700 });
    writeFileSync(join(plain, "file"), "");
    symlinkSync(outside, join(plain, "link"));
    unitTests("run-dir", plain);
    expect(existsSync(plain)).toBe(false);

    const nested = join(scratch.path, "nested");
    mkdirSync(join(nested, "inner"), { recursive: true, mode: 0o700 });
    writeFileSync(join(nested, "inner/file"), "");
    unitTests("run-dir", nested);
    expect(existsSync(join(nested, "inner/file"))).toBe(true);

    const open = join(scratch.path, "open");
    mkdirSync(open, { mode: 0o755 });
    symlinkSync(outside, join(scratch.path, "linked"));
    expect(() => unitTests("run-dir", open)).toThrow(/not true/);
    expect(() => unitTests("run-dir", join(scratch.path, "linked"))).toThrow(/not true/);
    expect(existsSync(join(outside, "keep"))).toBe(true);
  });
});

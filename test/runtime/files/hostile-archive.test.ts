import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../../src/runtime/package-root.ts";
import { make } from "../../make.ts";
import { member, signed, tar } from "./tar-maker.ts";
import { makeTree } from "./trees.ts";
import { program, remove, useUnpacking } from "./unpacking.ts";

const { scratch, victim, target, unpack, run } = useUnpacking();

describe("an archive that wants to leave its directory", () => {
  it("cannot by its names", () => {
    const up = "../".repeat(30);
    const { status, stderr } = run(
      { path: "../victim/file", data: "bad" },
      { path: "a/../../victim/file", data: "bad" },
      { path: `${up}${victim}/file`, data: "bad" },
      { path: "..", type: "5", mode: 0 },
      { path: "x", data: "bad", records: { path: `../victim/file` } },
      { path: "good", data: "good" },
    );
    expect(status).toBe(1);
    expect(stderr.match(/refused: its path has "\.\."/g)).toHaveLength(5);
    expect(readFileSync(join(target, "good"), "utf8")).toBe("good");
  });

  it("gets an absolute path made below the target", () => {
    expect(run({ path: `${victim}/file`, data: "bad" }).status).toBe(0);
    expect(readFileSync(join(target, victim, "file"), "utf8")).toBe("bad");
  });

  it("cannot through links it makes, or finds", () => {
    symlinkSync(victim, join(target, "old"));
    symlinkSync(join(victim, "file"), join(target, "old file"));
    const { status, stderr } = run(
      { path: "new", type: "2", target: victim },
      { path: "new/file", data: "bad" },
      { path: "new/more/file", data: "bad" },
      { path: "old/file", data: "bad" },
      { path: "old/sub", type: "5" },
      { path: "old file", data: "a file now", mode: 0o666 },
      { path: "file", type: "2", target: join(victim, "file") },
      { path: "file", data: "a file now", mode: 0o666 },
    );
    expect(status).toBe(1);
    expect(stderr.match(/no directory, or a symbolic link/g)).toHaveLength(4);
    expect(readlinkSync(join(target, "new"))).toBe(victim);
    for (const name of ["old file", "file"])
      expect(lstatSync(join(target, name)).isFile()).toBe(true);
  });

  it("cannot by making a directory a link in the middle", () => {
    const { status } = run(
      { path: "d", type: "5", mode: 0o755 },
      { path: "d/one", data: "1" },
      { path: "d", type: "2", target: victim },
      { path: "d/file", data: "bad" },
      { path: "e", type: "5" },
      { path: "e", type: "2", target: victim },
      { path: "e/file", data: "bad" },
      { path: "e", type: "5", mode: 0o700 },
      { path: "e/file", data: "in a directory again" },
    );
    expect(status).toBe(1);
    expect(readdirSync(join(target, "d")).sort()).toEqual(["file", "one"]);
    expect(lstatSync(join(target, "e")).isDirectory()).toBe(true);
  });

  it("cannot by hard links", () => {
    symlinkSync(victim, join(target, "way"));
    const { status } = run(
      { path: "a", type: "1", target: join(victim, "file") },
      { path: "b", type: "1", target: "../victim/file" },
      { path: "c", type: "1", target: "way/file" },
      { path: "way2", type: "2", target: join(victim, "file") },
      { path: "d", type: "1", target: "way2" },
      { path: "d", data: "bad", mode: 0o777 },
      { path: "e", type: "1", target: "e" },
      { path: "f", type: "1", target: "" },
      { path: "dir", type: "5" },
      { path: "g", type: "1", target: "dir" },
    );
    expect(status).toBe(1);
    expect(readdirSync(target).sort()).toEqual(["d", "dir", "way", "way2"]);
    expect(readFileSync(join(target, "d"), "utf8")).toBe("bad");
  });

  it("makes no devices and nothing that runs as somebody else", () => {
    const { status, stderr } = run(
      { path: "null", type: "3", mode: 0o666 },
      { path: "disk", type: "4", mode: 0o666 },
      { path: "root shell", data: "#!", mode: 0o6755 },
      { path: "directory", type: "5", mode: 0o7777 },
    );
    expect(status).toBe(1);
    expect(stderr).toBe("null: refused: a device\ndisk: refused: a device\n");
    expect(statSync(join(target, "root shell")).mode & 0o7777).toBe(0o755);
    expect(statSync(join(target, "directory")).mode & 0o7777).toBe(0o1777);
    unpack(tar({ path: "again", data: "#!", mode: 0o6755 }), "--owner");
    expect(statSync(join(target, "again")).mode & 0o7777).toBe(0o755);
  });
});

describe("an archive that is damaged or too large", () => {
  it("is refused when it ends early, without a half file", () => {
    const large = Buffer.alloc(300_000, "x");
    const whole = tar({ path: "small", data: "s" }, { path: "large", data: large });
    for (const length of [0, 1, 511, 513, 1024 + 512, 100_000, whole.length - 1024]) {
      expect(unpack(whole.subarray(0, length))).toEqual({
        status: 2,
        stderr: "the archive: cut off\n",
      });
      expect(readdirSync(target).filter((name) => name !== "small")).toEqual(
        length > 300_000 ? ["large"] : [],
      );
    }
  });

  it("is refused when it promises sizes that nothing has", () => {
    const huge = Buffer.from("80000000" + "7fffffffffffffff", "hex");
    const negative = Buffer.from("ff".repeat(12), "hex");
    const above = Buffer.from("81".padEnd(24, "f"), "hex");
    for (const size of [huge, negative, above, Buffer.from("99999999999\0")]) {
      expect(run({ path: "x", data: "x", size }).status).toBe(2);
    }
    for (const size of [
      "18446744073709551615",
      "9223372036854775807",
      "-1",
      "1e9",
      "",
      "99999999999999999999999",
    ]) {
      expect(run({ path: "x", data: "x", records: { size } }).status).toBe(2);
    }
    // Records and names are held, so they are bounded.
    expect(run({ path: "x", type: "x", data: Buffer.alloc(200_000, "1") }).status).toBe(2);
    expect(run({ path: "x", type: "L", data: Buffer.alloc(100_000, "n") }).status).toBe(2);
    expect(readdirSync(target)).toEqual([]);
  });

  it("holds little of it, however many members and levels it has", () => {
    const limited = (archive: Buffer) =>
      spawnSync("sh", ["-c", `ulimit -v 40000; exec "$0" unpack "$1"`, plain, target], {
        input: archive,
      });
    const plain = join(packageRoot(), "archive/build/machinen-archive");
    make("archive");
    const one = (i: number) =>
      member({ path: `d${i % 50}`, type: "5", records: { comment: "c".repeat(300) } });
    const many = Buffer.concat([
      ...Array.from({ length: 20_000 }, (_, i) => one(i)),
      Buffer.alloc(1024),
    ]);
    expect(limited(many).status).toBe(0);
    const deep = limited(
      tar({ path: "x", data: "x", records: { path: `${"d/".repeat(10_000)}x` } }),
    );
    expect(deep.status).toBe(1);
    expect(limited(tar({ path: "x", data: Buffer.alloc(60 << 20) })).status).toBe(0);
  }, 120_000);

  it("is read as a sparse file only when its map is sound", () => {
    const records = (real: number | string) => ({
      "GNU.sparse.major": "1",
      "GNU.sparse.minor": "0",
      "GNU.sparse.name": "s",
      "GNU.sparse.realsize": String(real),
    });
    const sparse = (map: string, data: string, real: number | string) =>
      run({ path: "x", data: map.padEnd(512, "\0") + data, records: records(real) });
    expect(sparse("2\n0\n1\n100\n1\n", "ab", 200).status).toBe(0);
    const made = readFileSync(join(target, "s"), "latin1");
    expect([made.length, made[0], made[100], made[50]]).toEqual([200, "a", "b", "\0"]);
    for (const [map, data, real] of [
      ["2\n0\n1\n100\n1\n", "ab", 100],
      ["2\n100\n1\n0\n1\n", "ab", 200],
      ["1\n0\n9223372036854775807\n", "ab", 200],
      ["1\n0\n3\n", "ab", 200],
      ["99999999\n0\n1\n", "a", 200],
      ["x\n", "a", 200],
      ["", "a", 200],
      ["1\n0\n1\n", "a", "99999999999999999999"],
    ] as const) {
      const { status } = sparse(map, data, real);
      expect([map, status]).toEqual([map, expect.toBeOneOf([1, 2])]);
    }
    expect(run({ path: "old", type: "S", data: "x" }).stderr).toMatch(/old sparse format/);
    expect(readdirSync(target)).toEqual(["s"]);
  });

  it("skips what it does not know", () => {
    const { status, stderr } = run(
      { path: "label", type: "V", data: "x" },
      { path: "g", type: "g", data: "12 comment=x\n" },
      { path: "after", data: "after" },
    );
    expect([status, stderr]).toEqual([1, "label: an unknown type of member\n"]);
    expect(readdirSync(target)).toEqual(["after"]);
  });

  it("names in errors cannot steer a terminal", () => {
    const { stderr } = run({ path: "../\x1b]0;title\x07\n: fine", data: "" });
    expect(stderr).toBe('../\\033]0;title\\007\\012: fine: refused: its path has ".."\n');
  });

  it("never does more than that, mutated in any way", () => {
    let state = 20261122;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const tree = scratch("fuzzed");
    makeTree(tree);
    const packed = spawnSync(
      program,
      ["pack", "--exclude", "binary", "--exclude", "sparse", tree],
      {
        maxBuffer: 64 << 20,
      },
    ).stdout;
    const links = tar(
      { path: "l", type: "2", target: victim },
      { path: "h", type: "1", target: "../victim/file" },
      { path: "l/file", data: "bad", records: { path: "l/file", mtime: "-1.5" } },
    );
    const attributes = tar(
      ...["user.a", "security.capability", "system.posix_acl_access", "user.b%3D"].map((name) => ({
        path: `attributes/${name}`,
        data: "x",
        records: { [`SCHILY.xattr.${name}`]: "value\n", [`SCHILY.xattr.${name}2`]: "" },
      })),
    );
    const sources = [packed, links, attributes, Buffer.concat([links.subarray(0, -1024), packed])];
    for (let round = 0; round < 200; round++) {
      const bytes = Buffer.from(sources[round % sources.length]!);
      for (let change = random(8); change >= 0; change--) {
        const block = random(bytes.length / 512) * 512;
        const at = block + random(512);
        bytes[at] = [random(256), bytes[at]! ^ (1 << random(8)), 0x2f, 0x2e, 0x30 + random(10)][
          random(5)
        ]!;
        // A right checksum lets the change through to what lies behind it.
        if (bytes.toString("latin1", block + 257, block + 262) === "ustar" && random(4) > 0)
          signed(bytes.subarray(block, block + 512));
      }
      const end = random(5) === 0 ? random(bytes.length) : bytes.length;
      expect([0, 1, 2]).toContain(unpack(bytes.subarray(0, end)).status);
      if (round % 10 === 0) {
        execFileSync("chmod", ["-R", "u+rwx", target]);
        remove(target);
      }
    }
    expect(existsSync(victim)).toBe(true);
  }, 300_000);
});

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../../src/runtime/package-root.ts";
import { accessList, attributesOf, CAPABILITY } from "./attributes.ts";
import { type Entry, tar } from "./tar-maker.ts";
import { useScratchDirectory } from "./trees.ts";

/** The program that meets the archives of hostile guests, checking itself. */
const program = join(packageRoot(), "archive/build/asan/machinen-archive");
const scratch = useScratchDirectory();
const isRoot = process.getuid?.() === 0;
let round = 0;

beforeAll(() => {
  execFileSync("make", ["-s", "-C", join(packageRoot(), "archive"), "asan"]);
}, 180_000);

function unpack(entries: Entry[], ...flags: string[]) {
  const target = scratch(`target-${++round}`);
  mkdirSync(target);
  const input = tar(...entries);
  const { status, stderr } = spawnSync(program, ["unpack", ...flags, target], { input });
  expect(stderr.toString()).not.toMatch(/Sanitizer|runtime error/);
  return { target, status, stderr: stderr.toString() };
}

const xattr = (name: string) => `SCHILY.xattr.${name}`;
const everything = {
  [xattr("user.note")]: "kept",
  [xattr("user.overlay.redirect")]: "/etc",
  [xattr("user.containers.override_stat")]: "0:0:4755",
  [xattr("security.capability")]: CAPABILITY,
  [xattr("security.selinux")]: "x",
  [xattr("trusted.overlay.opaque")]: "y",
  [xattr("system.posix_acl_access")]: accessList(1234),
};

describe("extended attributes of an archive", () => {
  it("that mean nothing to the system are set, all others passed over", () => {
    const { target, status } = unpack([
      { path: "file", data: "x", records: everything },
      { path: "directory", type: "5", mode: 0o555, records: everything },
      { path: "link", type: "2", target: "file", records: everything },
    ]);
    expect(status).toBe(0);
    expect(attributesOf(target)).toEqual({
      "./file": { "user.note": "kept" },
      "./directory": { "user.note": "kept" },
    });
  });

  it.runIf(isRoot)("with owners: access control lists too, which name them; no rights", () => {
    const { target, status } = unpack(
      [
        { path: "file", mode: 0o640, data: "x", records: everything },
        {
          path: "directory",
          type: "5",
          mode: 0o755,
          records: { [xattr("system.posix_acl_default")]: accessList(1234) },
        },
        { path: "directory/below", mode: 0o600, data: "x" },
      ],
      "--owner",
    );
    expect(status).toBe(0);
    expect(attributesOf(target)).toEqual({
      "./file": { "user.note": "kept", "system.posix_acl_access": accessList(1234) },
      "./directory": { "system.posix_acl_default": accessList(1234) },
    });
    expect(statSync(join(target, "file")).mode & 0o777).toBe(0o640);
    expect(statSync(join(target, "directory/below")).mode & 0o777).toBe(0o600);
  });

  it("hold any bytes under any name, as GNU tar writes and reads them", () => {
    const odd = {
      [xattr("user.a%3Db%25c")]: "line\nand \x00 and =",
      [xattr("user.empty")]: "",
      [xattr(`user.${"n".repeat(240)}`)]: "long",
    };
    const { target, status } = unpack([{ path: "file", data: "x", records: odd }]);
    expect(status).toBe(0);
    const expected = {
      "./file": {
        "user.a=b%c": "line\nand \x00 and =",
        "user.empty": "",
        [`user.${"n".repeat(240)}`]: "long",
      },
    };
    expect(attributesOf(target)).toEqual(expected);
    const packed = spawnSync(program, ["pack", target], { maxBuffer: 1 << 24 }).stdout;
    const extracted = scratch("by tar");
    mkdirSync(extracted);
    const flags = ["--xattrs", "--xattrs-include=user.*", "-C", extracted, "-xf", "-"];
    execFileSync("tar", flags, { input: packed });
    expect(attributesOf(extracted)).toEqual(expected);
  });

  it("that are too large or nonsense harm nothing", () => {
    const large = { [xattr("user.large")]: "l".repeat(65_000), [xattr("user.ok")]: "1" };
    const made = unpack([{ path: "file", data: "x", records: large }]);
    // What fits depends on the file system.
    expect([0, 1]).toContain(made.status);
    expect(made.stderr).toMatch(/^$|^file: not all extended attributes could be set\n$/);
    expect(attributesOf(made.target)["./file"]).toMatchObject({ "user.ok": "1" });

    const nameless = unpack([{ path: "file", data: "x", records: { [xattr("")]: "x" } }]);
    expect([nameless.status, existsSync(join(nameless.target, "file"))]).toEqual([0, true]);
    const tooLong = { [xattr(`user.${"n".repeat(900)}`)]: "x" };
    expect(unpack([{ path: "file", data: "x", records: tooLong }]).status).toBe(0);
    const cut = unpack([{ path: "file", data: "x", records: { [xattr("user.a\0b")]: "x" } }]);
    expect(cut).toMatchObject({ status: 2, stderr: "the archive: damaged\n" });
    const many = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [xattr(`user.${i}`), "m".repeat(60_000)]),
    );
    expect(unpack([{ path: "file", data: "x", records: many }]).status).toBe(2);
  });
});

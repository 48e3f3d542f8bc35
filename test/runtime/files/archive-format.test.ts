import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { member } from "./tar-maker.ts";
import { describeTree, makeTree } from "./trees.ts";
import { program, remove, useUnpacking } from "./unpacking.ts";

const { scratch, target, unpack } = useUnpacking();

describe("the format", () => {
  it("is what GNU tar writes and reads", () => {
    const tree = scratch("gnu");
    makeTree(tree);
    const expected = describeTree(tree);
    const theirs = spawnSync("tar", ["-C", tree, "--format=pax", "-Scf", "-", "."], {
      maxBuffer: 64 << 20,
    }).stdout;
    expect(unpack(theirs).status).toBe(0);
    expect(describeTree(target)).toEqual(expected);
    const old = spawnSync("tar", ["-C", tree, "--format=gnu", "-cf", "-", "."], {
      maxBuffer: 64 << 20,
    }).stdout;
    remove(target);
    expect(unpack(old).status).toBe(0);
    const withoutTimes = (lines: string[]) =>
      lines
        .map((line) => line.replace(/ -?\d{12,20} /, " "))
        .filter((line) => !line.startsWith("sparse"));
    expect(withoutTimes(describeTree(target))).toEqual(withoutTimes(expected));
    const ours = spawnSync(program, ["pack", tree], { maxBuffer: 64 << 20 }).stdout;
    const copy = scratch("by gnu");
    mkdirSync(copy);
    expect(spawnSync("tar", ["-C", copy, "-xpf", "-"], { input: ours }).status).toBe(0);
    // GNU tar 1.34 takes the fraction of a time before 1970 for one after it.
    const notOld = (lines: string[]) => lines.filter((line) => !line.startsWith("secret"));
    expect(notOld(describeTree(copy))).toEqual(notOld(expected));
  });

  it("excludes what GNU tar excludes", () => {
    const tree = scratch("excludes");
    const names = [
      "a",
      "a.o",
      "b/a",
      "b/a.o/c",
      "b/c",
      "ab",
      "b/.git/x",
      "b/x.git",
      "[x]",
      "é",
      "b/deep/er/a",
    ];
    for (const name of names) {
      mkdirSync(join(tree, name, ".."), { recursive: true });
      if (!existsSync(join(tree, name))) writeFileSync(join(tree, name), "");
    }
    for (const pattern of [
      "a",
      "*.o",
      "b/a",
      "./a",
      "b",
      "?",
      "[!a]*",
      "\\[x\\]",
      ".git",
      "b/*a",
      "*/c",
      "deep/er",
      "e*",
      "b/",
      "/a",
      "a*o/c",
      "",
      ".",
      "*",
    ]) {
      const list = (bytes: Buffer) =>
        spawnSync("tar", ["tf", "-"], { input: bytes })
          .stdout.toString()
          .replace(/\/$/gm, "")
          .split("\n")
          // What is left of the top itself when a pattern matches it is theirs alone: we always make the target.
          .filter((name) => name !== "" && name !== ".")
          .sort();
      const theirs = spawnSync("tar", ["-C", tree, "--exclude", pattern, "-cf", "-", "."]).stdout;
      const ours = spawnSync(program, ["pack", "--exclude", pattern, tree]).stdout;
      expect([pattern, ...list(ours)]).toEqual([pattern, ...list(theirs)]);
    }
  });

  it("says so when a file is larger than a header can say", () => {
    const tree = scratch("large");
    mkdirSync(tree);
    execFileSync("truncate", ["-s", "20G", join(tree, "holes")]);
    const ours = spawnSync(program, ["pack", tree], { maxBuffer: 1 << 20 }).stdout;
    expect(unpack(ours).status).toBe(0);
    expect(statSync(join(target, "holes")).size).toBe(20 * 2 ** 30);
    const whole = member({ path: "x", size: 0, records: { size: String(9 * 2 ** 30) } });
    expect(unpack(whole)).toEqual({ status: 2, stderr: "the archive: cut off\n" });
  });
});

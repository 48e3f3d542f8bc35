import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { packageRoot } from "../../../src/runtime/package-root.ts";
import { until } from "../../vmm/machine.ts";
import { bases } from "../machine/bases.ts";
import { useScratch } from "../machine/scratch.ts";
import { minutes, say } from "./live-mount-machine.ts";

/*
 * What a developer does in a directory shared with a machine: clone, build, edit, build again, commit, push. The tree is
 * our own sources; git, make and the compiler, which neither base has, are the host's, by a live mount too.
 */
const scratch = useScratch();
const origin = join(scratch.path, "origin");
const bare = join(scratch.path, "origin.git");

/** git as on a host where nobody has set it up. */
function git(...args: string[]): string {
  const settings = ["-c", "user.name=Host", "-c", "user.email=host@example.org"];
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
  return execFileSync("git", [...settings, ...args], { encoding: "utf8", env }).trim();
}

/** A root file system of the host's programs in the guest, with the shared directory at its `/work`. */
const ENTER = `mkdir -p /tmp/root && cd /tmp/root && mkdir -p usr dev proc tmp work etc &&
ln -s usr/bin bin && ln -s usr/lib lib && ln -s usr/lib64 lib64 &&
mount --bind /mnt/usr usr && mount --bind /mnt/work work && mount --bind /dev dev && mount -t proc none proc`;

/** A command among the host's programs. */
function inside(command: string): string {
  const env = `env -i HOME=/tmp PATH=/usr/bin GIT_CONFIG_NOSYSTEM=1`;
  return `chroot /tmp/root ${env} /usr/bin/sh -ec '${command}'`;
}

beforeAll(() => {
  const built = new Set(["build", "node_modules"]);
  for (const directory of ["src", "docs", "archive"]) {
    cpSync(join(packageRoot(), directory), join(origin, directory), {
      recursive: true,
      filter: (path) => !built.has(basename(path)),
    });
  }
  git("init", "-q", "-b", "main", origin);
  git("-C", origin, "add", "-A");
  git("-C", origin, "commit", "-q", "-m", "as it is");
});
afterAll(() => scratch.remove());

describe.each(bases)("in a live mount of the $name base", ({ name, options }) => {
  const work = join(scratch.path, name);
  const clone = join(work, "clone");
  let vm: Machine;

  beforeAll(async () => {
    mkdirSync(work);
    git("clone", "-q", "--bare", origin, join(work, basename(bare)));
    const liveMounts = [
      { host: "/usr", guest: "/mnt/usr", mode: "ro" as const },
      { host: work, guest: "/mnt/work" },
    ];
    vm = await boot({ ...options, liveMounts });
    expect(await say(vm, ENTER)).toBe("");
  });
  afterAll(async () => vm?.kill());

  test("git clones a tree of hundreds of files, whole", { timeout: 3 * minutes }, async () => {
    const clean =
      "git clone -q /work/origin.git /work/clone; cd /work/clone; git status --porcelain";
    expect(await say(vm, inside(clean))).toBe("");
    const files = git("-C", clone, "ls-files").split("\n");
    expect(files.length).toBeGreaterThan(250);
    for (const file of files) {
      expect(readFileSync(join(clone, file)).equals(readFileSync(join(origin, file))), file).toBe(
        true,
      );
    }
    git("-C", clone, "fsck", "--strict");
    // The host sees the same times: nothing looks changed to its git either.
    expect(git("-C", clone, "status", "--porcelain")).toBe("");
  });

  test("make builds it, and again what the host changes", { timeout: 3 * minutes }, async () => {
    const make = inside('make -C /work/clone/archive CC=gcc CFLAGS="-D_GNU_SOURCE -O0 -MMD -MP"');
    expect(await say(vm, make)).toContain("build/machinen-archive");
    expect(await say(vm, make)).toMatch(/Nothing to be done/);
    const program = join(clone, "archive/build/machinen-archive");
    const runs = (command: string, args: string[]) =>
      execFileSync("sh", ["-c", '"$@" 2>&1 || true', "sh", command, ...args], { encoding: "utf8" });
    const usage = runs(program, []);
    expect(usage).toMatch(/usage/i);
    expect(await say(vm, inside("/work/clone/archive/build/machinen-archive 2>&1 || true"))).toBe(
      usage.trim(),
    );

    appendFileSync(join(clone, "archive/names.c"), "\nint changed_by_the_host;\n");
    const again = await until(
      "the change to be seen",
      async () => {
        const said = await say(vm, make);
        return !said.includes("Nothing to be done") && said;
      },
      60_000,
    );
    expect(again).toContain("names.c");
    expect(again).not.toContain("writer.c");
    expect(existsSync(program)).toBe(true);
  });

  test("git commits and pushes; the host has it", { timeout: 3 * minutes }, async () => {
    writeFileSync(join(clone, ".gitignore"), "build\n");
    const commit =
      "cd /work/clone; git add -A; " +
      "git -c user.name=Guest -c user.email=guest@example.org commit -q -m changed; git push -q";
    expect(await say(vm, inside(commit))).toBe("");
    const pushed = join(work, basename(bare));
    expect(git("-C", pushed, "log", "--format=%an %s")).toBe("Guest changed\nHost as it is");
    git("-C", pushed, "fsck", "--strict");
    expect(git("-C", pushed, "show", "main:archive/names.c")).toContain("changed_by_the_host");
  });
});

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { BootOptions } from "../../../src/runtime/machine/boot-options.ts";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { packageRoot } from "../../../src/runtime/package-root.ts";
import { list } from "../../../src/runtime/registry/index.ts";
import { bases } from "../machine/bases.ts";
import { useScratch } from "../machine/scratch.ts";

const programs = join(packageRoot(), "test/runtime/mounts/programs");
export const minutes = 180_000;

/** What the tests of a base with live mounts stand on. */
export interface LiveMounted {
  /** A machine with `work` at `/mnt/work` and, read-only, `tools` at `/mnt/tools`. */
  machine(): Machine;
  options: BootOptions;
  /** A directory of the host for this base alone. */
  path: string;
  work: string;
  /** The programs of `programs/`, compiled. */
  tools: string;
}

/** A program is one file, or all those of a directory. */
function sourcesOf(path: string): string[] {
  if (path.endsWith(".c")) return [path];
  const names = readdirSync(path).filter((name) => name.endsWith(".c"));
  return names.map((name) => join(path, name));
}

/** Run `tests` for a machine with live mounts on each base; when they end nothing may be left of it. */
export function describeLiveMounts(tests: (mounted: LiveMounted) => void): void {
  const scratch = useScratch();
  const tools = join(scratch.path, "tools");

  beforeAll(() => {
    mkdirSync(tools);
    for (const name of readdirSync(programs)) {
      const out = join(tools, basename(name, ".c"));
      const flags = [
        "-D_GNU_SOURCE",
        "-std=gnu17",
        "-O1",
        "-static",
        "-Wall",
        "-Wextra",
        "-Werror",
      ];
      execFileSync("cc", [...flags, "-o", out, ...sourcesOf(join(programs, name))]);
    }
  });
  afterAll(async () => {
    for (const { pid } of list()) await (await attach({ pid })).kill();
    const left = scratch.runDirs();
    scratch.remove();
    expect(left).toEqual([]);
  });

  describe.each(bases)("on the $name base", ({ name, options }) => {
    const path = join(scratch.path, name);
    const work = join(path, "work");
    let vm: Machine;

    beforeAll(async () => {
      mkdirSync(work, { recursive: true });
      const liveMounts = [
        { host: work, guest: "/mnt/work" },
        { host: tools, guest: "/mnt/tools", mode: "ro" as const },
      ];
      vm = await boot({ ...options, name: "base", detached: true, liveMounts });
    });
    afterAll(async () => vm?.kill());
    tests({ machine: () => vm, options, path, work, tools });
  });
}

/** The file servers of a machine. */
export function serversOf({ pid }: Machine): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children
    .split(" ")
    .map(Number)
    .filter((child) => child > 0)
    .filter((child) => readFileSync(`/proc/${child}/cmdline`, "utf8").includes("serve-mount"));
}

/** What a command prints, with its complaints when it fails. */
export async function say(machine: Machine, command: string): Promise<string> {
  const { stdout, stderr, exitCode } = await machine.execRaw(command, { execTimeoutMs: minutes });
  return exitCode === 0 ? stdout.trim() : `${stdout}${stderr}exit ${exitCode}`.trim();
}

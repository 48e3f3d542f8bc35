import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, expect } from "vitest";
import { packageRoot } from "../../../src/runtime/package-root.ts";
import { make } from "../../make.ts";
import { type Entry, tar } from "./tar-maker.ts";
import { useScratchDirectory } from "./trees.ts";

/** The program that meets the archives of hostile guests, checking itself. */
export const program = join(packageRoot(), "archive/build/asan/machinen-archive");

export interface Unpacking {
  scratch(name: string): string;
  /** What no archive may touch. */
  victim: string;
  target: string;
  unpack(archive: Buffer, ...flags: string[]): { status: number | null; stderr: string };
  run(...entries: Entry[]): { status: number | null; stderr: string };
}

/** Deeper trees than Node's own rm can take. */
export function remove(directory: string): void {
  execFileSync("rm", ["-rf", directory]);
}

/** A place to unpack into beside one that must stay as it is, anew for every test. */
export function useUnpacking(): Unpacking {
  const scratch = useScratchDirectory();
  const victim = scratch("victim");
  const target = scratch("target");
  beforeAll(() => {
    make("archive", "asan");
  }, 600_000);
  beforeEach(() => {
    for (const directory of [victim, target]) {
      remove(directory);
      mkdirSync(directory);
    }
    writeFileSync(join(victim, "file"), "untouched", { mode: 0o600 });
  });
  const unpack: Unpacking["unpack"] = (archive, ...flags) => {
    const { status, stderr } = spawnSync(program, ["unpack", ...flags, target], {
      input: archive,
      timeout: 60_000,
    });
    expect(stderr.toString()).not.toMatch(/Sanitizer|runtime error/);
    // Whatever came, nothing outside has changed.
    expect(readdirSync(victim)).toEqual(["file"]);
    expect(readFileSync(join(victim, "file"), "utf8")).toBe("untouched");
    expect(statSync(join(victim, "file")).mode & 0o7777).toBe(0o600);
    return { status, stderr: stderr.toString() };
  };
  return { scratch, victim, target, unpack, run: (...entries) => unpack(tar(...entries)) };
}

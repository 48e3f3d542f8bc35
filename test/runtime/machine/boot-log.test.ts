import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  bootSnapshotPath,
  detachedLogRoot,
  writeBootSnapshot,
} from "../../../src/runtime/machine/boot-log.ts";
import { temporaryDirectory } from "../images/temporary.ts";

let scratch: string;

beforeEach(() => {
  scratch = temporaryDirectory();
});

describe("the place of boot logs", () => {
  it("is below the home directory, or where MACHINEN_DETACHED_LOG_DIR says", () => {
    vi.stubEnv("MACHINEN_DETACHED_LOG_DIR", "");
    vi.stubEnv("HOME", scratch);
    expect(detachedLogRoot()).toBe(join(scratch, ".machinen", "logs"));
    vi.stubEnv("MACHINEN_DETACHED_LOG_DIR", "relative/logs");
    expect(detachedLogRoot()).toBe(join(process.cwd(), "relative/logs"));
    expect(bootSnapshotPath(1234)).toBe(join(process.cwd(), "relative/logs/1234.boot.log"));
  });
});

describe("writeBootSnapshot", () => {
  it("writes the log whole, in a directory it makes, for its owner only", () => {
    const path = join(scratch, "a/b/1.boot.log");
    expect(writeBootSnapshot(path, "first")).toBe(true);
    expect(writeBootSnapshot(path, "second \u00fc")).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("second \u00fc");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(scratch, "a/b"))).toEqual(["1.boot.log"]);
  });

  it("says false instead of failing, and leaves what was there", () => {
    writeFileSync(join(scratch, "file"), "kept");
    expect(writeBootSnapshot(join(scratch, "file", "1.boot.log"), "x")).toBe(false);
    mkdirSync(join(scratch, "taken/by a directory"), { recursive: true });
    expect(writeBootSnapshot(join(scratch, "taken"), "x")).toBe(false);
    expect(readFileSync(join(scratch, "file"), "utf8")).toBe("kept");
    expect(readdirSync(scratch).sort()).toEqual(["file", "taken"]);
  });
});

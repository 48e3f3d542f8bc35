import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { addEntry } from "../../../src/runtime/registry/index.ts";
import {
  collectTemplates,
  enforceLimit,
  selectEvictions,
  templatesLimitBytes,
} from "../../../src/runtime/templates/limit.ts";
import {
  discardTemplate,
  findTemplate,
  listTemplates,
  publishTemplate,
  stagingDirectory,
  sweepStaging,
  templateDirectory,
  templatesRoot,
} from "../../../src/runtime/templates/store.ts";

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "mn-test-"));
  process.env.MACHINEN_CACHE_DIR = join(scratch, "cache");
  process.env.MACHINEN_REGISTRY_DIR = join(scratch, "vms");
});
afterEach(() => {
  delete process.env.MACHINEN_TEMPLATES_MAX_MIB;
  rmSync(scratch, { recursive: true, force: true });
});

const keyOf = (digit: string): string => digit.repeat(40);

/** A directory as `machinen-vmm save` leaves it. */
function stage(nonce: string, bytes = 8192): string {
  const staging = stagingDirectory(nonce);
  mkdirSync(staging);
  for (const name of ["memory.img", "device.state", "vmm.json"]) {
    writeFileSync(join(staging, name), Buffer.alloc(bytes, 1));
  }
  return staging;
}

const publish = (digit: string, bytes?: number) =>
  publishTemplate(stage(digit, bytes), keyOf(digit));

describe("a stored template", () => {
  test("is found once it is published, whole", () => {
    expect(findTemplate(keyOf("a"))).toBeUndefined();
    const template = publish("a");
    expect(findTemplate(keyOf("a"))).toEqual(template);
    expect(readdirSync(templatesRoot())).toEqual([keyOf("a")]);
  });

  test.each([
    ["shorter", (file: string) => truncateSync(file, 100)],
    ["written to", (file: string) => writeFileSync(file, Buffer.alloc(8192, 2))],
    ["gone", (file: string) => rmSync(file)],
  ])("is none when a file is %s", (_how, spoil) => {
    const { directory } = publish("a");
    const file = join(directory, "memory.img");
    spoil(file);
    if (existsSync(file)) utimesSync(file, 5, 5);
    expect(findTemplate(keyOf("a"))).toBeUndefined();
  });

  test.each([
    ["written to", (file: string) => writeFileSync(file, Buffer.alloc(8192, 2))],
    [
      "replaced",
      (file: string) => {
        writeFileSync(`${file}.new`, Buffer.alloc(8192, 2));
        renameSync(`${file}.new`, file);
      },
    ],
  ])("is none when a file is %s and has its size and time again", async (_how, spoil) => {
    const { directory } = publish("a");
    const file = join(directory, "memory.img");
    const { mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    // The kernel's clock for files takes steps of some milliseconds.
    do {
      spoil(file);
      execFileSync("touch", [
        "-d",
        `@${mtimeNs / 10n ** 9n}.${String(mtimeNs % 10n ** 9n).padStart(9, "0")}`,
        file,
      ]);
    } while (statSync(file, { bigint: true }).ctimeNs === ctimeNs);
    expect(statSync(file, { bigint: true })).toMatchObject({ mtimeNs, size: 8192n });
    expect(findTemplate(keyOf("a"))).toBeUndefined();
  });

  test("shares its disk with the image cache, whatever becomes of that", () => {
    const image = join(scratch, "image");
    const staging = stage("a");
    for (const path of [image, join(staging, "disk0-0.raw")]) writeFileSync(path, "disk");
    const template = publishTemplate(staging, keyOf("a"), image);
    expect(statSync(image).nlink).toBe(2);
    rmSync(image);
    expect(findTemplate(keyOf("a"))).toEqual(template);
  });

  test("is none when its record belongs to another key or is no record", () => {
    const { directory } = publish("a");
    rmSync(templateDirectory(keyOf("b")), { recursive: true, force: true });
    publish("c");
    writeFileSync(join(directory, "template.json"), "{}");
    expect(findTemplate(keyOf("a"))).toBeUndefined();
    writeFileSync(join(directory, "template.json"), `{"key":"${keyOf("c")}","files":[{}]}`);
    expect(findTemplate(keyOf("a"))).toBeUndefined();
  });

  test("of two that are published the first stays", () => {
    const first = publish("a");
    const second = publishTemplate(stage("late", 4096), keyOf("a"));
    expect(second.instance).toBe(first.instance);
    expect(statSync(join(first.directory, "memory.img")).size).toBe(8192);
    expect(readdirSync(templatesRoot())).toEqual([keyOf("a")]);
  });

  test("shares its lowest disk layer with the cached image", () => {
    const image = join(scratch, "image");
    writeFileSync(image, Buffer.alloc(65536, 3));
    const staging = stage("disk");
    writeFileSync(join(staging, "disk0-0.raw"), Buffer.alloc(65536, 3));
    const { directory } = publishTemplate(staging, keyOf("d"), image);
    expect(statSync(join(directory, "disk0-0.raw")).ino).toBe(statSync(image).ino);
    expect(findTemplate(keyOf("d"))).toBeDefined();
    // What is shared costs nothing.
    expect(listTemplates()[0]!.bytes).toBeLessThan(65536);
  });

  test("is gone after it was thrown away, and that may be said twice", () => {
    publish("a");
    discardTemplate(keyOf("a"));
    discardTemplate(keyOf("a"));
    expect(readdirSync(templatesRoot())).toEqual([]);
  });
});

describe("the limit", () => {
  const template = (key: string, bytes: number, usedAtMs: number) => ({
    key,
    directory: key,
    bytes,
    usedAtMs,
  });
  const three = [template("old", 10, 1), template("older", 10, 0), template("new", 10, 2)];

  test("takes the least recently used first, and no more than needed", () => {
    const names = (limit: number, inUse: string[] = []) =>
      selectEvictions(three, limit, new Set(inUse), 1e6).map(({ key }) => key);
    expect(names(30)).toEqual([]);
    expect(names(29)).toEqual(["older"]);
    expect(names(10)).toEqual(["older", "old"]);
    expect(names(0)).toEqual(["older", "old", "new"]);
    expect(names(10, ["older"])).toEqual(["old", "new"]);
    expect(names(0, ["old", "older", "new"])).toEqual([]);
  });

  test("spares what a boot may be about to open", () => {
    expect(selectEvictions(three, 0, new Set(), 2)).toEqual([]);
  });

  test("is 4 GiB unless the environment says otherwise", () => {
    expect(templatesLimitBytes({})).toBe(4 * 1024 ** 3);
    expect(templatesLimitBytes({ MACHINEN_TEMPLATES_MAX_MIB: "1" })).toBe(1024 ** 2);
    expect(templatesLimitBytes({ MACHINEN_TEMPLATES_MAX_MIB: "x" })).toBe(4 * 1024 ** 3);
  });

  test("is kept, except by templates of live machines", () => {
    process.env.MACHINEN_TEMPLATES_MAX_MIB = "0";
    for (const digit of ["a", "b"]) {
      utimesSync(publish(digit).directory, 5, 5);
    }
    addEntry({
      pid: process.pid,
      socketPath: "/none",
      startedAt: Date.now(),
      templateKey: keyOf("a"),
    });
    enforceLimit();
    expect(readdirSync(templatesRoot())).toEqual([keyOf("a")]);
  });
});

describe("collection", () => {
  test("removes what nobody uses and what dead builders left; a dry run only says so", () => {
    for (const digit of ["a", "b"]) publish(digit);
    addEntry({
      pid: process.pid,
      socketPath: "/none",
      startedAt: Date.now(),
      templateKey: keyOf("a"),
    });
    const dead = join(templatesRoot(), ".staging-4194303-00");
    mkdirSync(dead);
    const ours = stage("busy");
    const expected = [templateDirectory(keyOf("b")), dead];
    expect(collectTemplates({ dryRun: true }).map(({ path }) => path)).toEqual(expected);
    expect(existsSync(dead)).toBe(true);
    expect(collectTemplates().map(({ path }) => path)).toEqual(expected);
    expect(existsSync(ours)).toBe(true);
    expect(sweepStaging()).toEqual([]);
    expect(listTemplates().map(({ key }) => key)).toEqual([keyOf("a")]);
  });
});

import { describe, expect, test } from "vitest";
import { compareFiles, suspects } from "../../../src/runtime/compare/compare-files.ts";
import { parseFiles } from "../../../src/runtime/compare/file-inventory.ts";
import { commonMoment } from "../../../src/runtime/compare/lineage.ts";
import { textPatch } from "../../../src/runtime/compare/patch.ts";
import { compareProcesses, parseProcesses } from "../../../src/runtime/compare/processes.ts";
import { splitRecords } from "../../../src/runtime/compare/records.ts";
import { compareSessions, parseEnvironment } from "../../../src/runtime/compare/sessions.ts";

/** One row as `inventory files` writes it. Times in ms. */
function row(
  path: string,
  { type = "f", mode = "644", size = 1, changed = 1000, inode = 1, target = "" } = {},
): string {
  const times = `${changed}000000 ${changed}000000`;
  return `${type} ${mode} 0 0 ${size} ${times} ${inode} 0\0${path}\0${target}\0`;
}

const files = (...rows: string[]) => parseFiles(Buffer.from(rows.join(""))).files;
const none: ReadonlySet<string> = new Set();

describe("files", () => {
  test("that nobody touched are not looked into", () => {
    const both = files(row("/a"), row("/b", { type: "d" }));
    expect(suspects(both, both)).toEqual([]);
    expect(compareFiles(both, both, none, 500)).toEqual([]);
  });

  test("that were touched and are as long as before are suspects", () => {
    const before = files(row("/a"), row("/empty", { size: 0 }), row("/longer"));
    const after = files(
      row("/a", { changed: 2000 }),
      row("/empty", { size: 0, changed: 2000 }),
      row("/longer", { size: 2, changed: 2000 }),
    );
    expect(suspects(before, after)).toEqual(["/a"]);
    expect(compareFiles(before, after, none).map(({ path }) => path)).toEqual(["/longer"]);
    const differences = compareFiles(before, after, new Set(["/a"]), 1500);
    expect(differences).toMatchObject([
      { path: "/a", change: "changed", aspects: ["content"], touchedBy: "b" },
      { path: "/longer", change: "changed", aspects: ["content"], touchedBy: "b" },
    ]);
  });

  test("that one machine lacks were made there, or removed here", () => {
    const a = files(row("/made by a", { changed: 2000 }), row("/removed by b"));
    const b = files(row("/made by b", { changed: 2000 }), row("/removed by a"));
    const found = compareFiles(a, b, none, 1500).map(({ path, change, touchedBy }) => [
      path,
      change,
      touchedBy,
    ]);
    expect(found).toEqual([
      ["/made by a", "removed", "a"],
      ["/made by b", "added", "b"],
      ["/removed by a", "added", "a"],
      ["/removed by b", "removed", "b"],
    ]);
    expect(compareFiles(a, b, none).every((file) => !("touchedBy" in file))).toBe(true);
  });

  test("differ in mode, owner, type and target", () => {
    const a = files(
      row("/mode"),
      row("/type"),
      row("/link", { type: "l", target: "x" }),
      row("/old"),
    );
    const b = files(
      row("/mode", { mode: "4755", changed: 2 }),
      row("/type", { type: "d", changed: 2 }),
      row("/link", { type: "l", target: "y", changed: 2 }),
      row("/old", { inode: 2 }),
    );
    const aspects = compareFiles(a, b, none).map((file) => [file.path, ...file.aspects]);
    expect(aspects).toEqual([
      ["/link", "target"],
      ["/mode", "mode"],
      ["/type", "type"],
    ]);
  });

  test("come from a guest that may say anything", () => {
    const { files: found, unread } = parseFiles(
      Buffer.from(
        `nonsense\0/x\0\0f 99 0 0 1 1 1 1 1\0/bad mode\0\0f 644 0 0 1 1 1\0/short\0\0! 40\0/deep\0\0${row("/new\nline")}f 644`,
      ),
    );
    expect([...found.keys()]).toEqual(["/new\nline"]);
    expect(unread).toEqual(["/deep"]);
    let seed = 1;
    const random = () => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return seed;
    };
    for (let round = 0; round < 500; round++) {
      const bytes = Buffer.from(row("/a") + row("/b", { type: "l", target: "t" }));
      for (let i = 0; i < 5; i++) bytes[random() % bytes.length] = random() % 256;
      for (const file of parseFiles(bytes).files.values()) {
        expect(Number.isFinite(file.size) && Number.isFinite(file.changedAt)).toBe(true);
      }
      parseProcesses(bytes);
      parseEnvironment(bytes);
    }
  });

  test("are split at NULs, and a torn row is left out", () => {
    expect(splitRecords(Buffer.from("a\0b\0c\0d\0e"), 2)).toEqual([
      ["a", "b"],
      ["c", "d"],
    ]);
  });
});

test("processes are the same when pid, start and command are", () => {
  const process = (pid: number, start: number, command: string) =>
    `${pid} 1 ${pid} ${start} 0 S\0name\0${command}\0`;
  const parse = (...rows: string[]) => parseProcesses(Buffer.from(rows.join("")));
  const a = parse(process(1, 1, "init"), process(7, 5, "sleep 9"), "x\0y\0z\0");
  const b = parse(process(1, 1, "init"), process(7, 6, "sleep 9"));
  expect(compareProcesses(a, b)).toEqual([
    { only: "a", pid: 7, parentPid: 1, uid: 0, name: "name", command: "sleep 9" },
    { only: "b", pid: 7, parentPid: 1, uid: 0, name: "name", command: "sleep 9" },
  ]);
});

test("sessions differ in their environment and last status", () => {
  const session = (name: string, environment: string, lastStatus?: number) => ({
    name,
    environment: parseEnvironment(Buffer.from(environment)),
    ...(lastStatus === undefined ? {} : { lastStatus }),
  });
  const a = [session("main", "A=1\0B=2\0_=x\0", 0), session("same", "X=1\0"), session("left", "")];
  const b = [session("main", "A=1\0C=line\nline\0", 3), session("same", "X=1\0")];
  expect(compareSessions(a, b)).toEqual([
    {
      name: "main",
      environment: [
        { name: "B", a: "2" },
        { name: "C", b: "line\nline" },
      ],
      lastStatus: { a: 0, b: 3 },
    },
    { name: "left", only: "a", environment: [] },
  ]);
});

describe("the moment two machines were one", () => {
  const family = [
    { pid: 1 },
    { pid: 2, parentPid: 1, forkedAt: 100 },
    { pid: 3, parentPid: 1, forkedAt: 200 },
    { pid: 4, parentPid: 2, forkedAt: 300 },
    { pid: 5, parentPid: 99, forkedAt: 50 },
    { pid: 6, parentPid: 99, forkedAt: 60 },
    { pid: 7, parentPid: 8, forkedAt: 1 },
    { pid: 8, parentPid: 7, forkedAt: 1 },
  ];
  const find = (pid: number) => family.find((member) => member.pid === pid);
  const moment = (a: number, b: number) => commonMoment(find(a)!, find(b)!, find);

  test.each([
    ["parent and child", 1, 2, 100],
    ["siblings", 2, 3, 100],
    ["aunt and niece", 3, 4, 100],
    ["grandparent and grandchild", 1, 4, 100],
    ["siblings whose parent is gone", 5, 6, 50],
    ["strangers", 1, 5, undefined],
    ["a ring", 7, 1, undefined],
  ])("%s", (_, a, b, expected) => {
    expect(moment(a, b)).toBe(expected);
    expect(moment(b, a)).toBe(expected);
  });
});

test("a patch is of text only", () => {
  const side = (label: string, text?: string) => ({
    label,
    bytes: text === undefined ? undefined : Buffer.from(text, "latin1"),
  });
  expect(textPatch(side("a", "1\n2\n"), side("b", "1\n3\n"))).toContain("-2\n+3\n");
  expect(textPatch(side("a"), side("b", "new\n"))).toContain("+new\n");
  expect(textPatch(side("a", "\0"), side("b", "x"))).toBeUndefined();
  expect(textPatch(side("a", "\xff\xfe"), side("b", "x"))).toBeUndefined();
});

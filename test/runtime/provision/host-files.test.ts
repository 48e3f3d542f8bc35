import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { BuildLog } from "../../../src/runtime/provision/build-log.ts";
import { stageFile } from "../../../src/runtime/provision/staged-file.ts";
import { temporaryDirectory } from "../images/temporary.ts";

let scratch: string;

beforeEach(() => {
  scratch = temporaryDirectory();
});

const output = (text: string) =>
  ({ source: "exec-stdout", cmd: "x", chunk: Buffer.from(text) }) as const;

describe("a build's log", () => {
  it("is gone after a success and stays after a failure", () => {
    const good = new BuildLog(scratch);
    good.event(output("all is well"));
    expect(readFileSync(good.path!, "utf8")).toBe("all is well");
    good.discard();
    expect(readdirSync(scratch)).toEqual([]);
    const bad = new BuildLog(scratch);
    bad.event(output("no "));
    bad.event({ source: "phase", kind: "provision", phases: new Map(), totalMs: 1 });
    bad.line("why");
    bad.keep();
    expect(readFileSync(bad.path!, "utf8")).toBe("no machinen: why\n");
  });

  it("keeps the beginning and the end of a flood", () => {
    const log = new BuildLog(scratch);
    const mib = "x".repeat(1024 * 1024 - 1);
    log.event(output("begin"));
    for (let count = 0; count < 20; count++) log.event(output(`${mib}\n`));
    log.event(output("end"));
    log.keep();
    const text = readFileSync(log.path!, "utf8");
    expect(text.length).toBeLessThan(19 * 1024 * 1024);
    expect(text).toMatch(/^begin/);
    expect(text).toMatch(/machinen: \d+ bytes left out/);
    expect(text).toMatch(/end$/);
  });

  it("is not the only one for ever, and one of the last", () => {
    const other = join(scratch, "1.boot.log");
    writeFileSync(other, "");
    for (let count = 0; count < 25; count++) new BuildLog(scratch).keep();
    expect(readdirSync(scratch).filter((name) => name.startsWith("provision-"))).toHaveLength(20);
    expect(existsSync(other)).toBe(true);
  });

  it("is done without where it cannot be written", () => {
    writeFileSync(join(scratch, "file"), "");
    const log = new BuildLog(join(scratch, "file", "logs"));
    log.line("x");
    log.keep();
    expect(log.path).toBeUndefined();
  });
});

describe("a staged file", () => {
  it("replaces the target whole, or leaves it alone", () => {
    const target = join(scratch, "new", "image.tar");
    const staged = stageFile(target);
    writeFileSync(staged.path, "first");
    expect(existsSync(target)).toBe(false);
    staged.publish();
    staged.discard();
    expect(readFileSync(target, "utf8")).toBe("first");
    const second = stageFile(target);
    writeFileSync(second.path, "second");
    second.discard();
    expect(readFileSync(target, "utf8")).toBe("first");
    expect(readdirSync(join(scratch, "new"))).toEqual(["image.tar"]);
  });

  it("removes what dead writers left, and nothing else", () => {
    const { pid } = spawnSync("true");
    const dead = join(scratch, `.machinen-${pid}-0123abcd.partial`);
    const alive = join(scratch, `.machinen-${process.pid}-0123abcd.partial`);
    mkdirSync(scratch, { recursive: true });
    for (const path of [dead, alive]) writeFileSync(path, "");
    stageFile(join(scratch, "image")).discard();
    expect([existsSync(dead), existsSync(alive)]).toEqual([false, true]);
  });
});

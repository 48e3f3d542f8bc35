import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { parseImageConfig } from "../../../src/runtime/images/image-config.ts";
import { readImageConfig, warmImageConfigCache } from "../../../src/runtime/images/index.ts";
import { temporaryDirectory } from "./temporary.ts";

let scratch: string;

beforeEach(() => {
  scratch = temporaryDirectory();
  vi.stubEnv("MACHINEN_CACHE_DIR", join(scratch, "cache"));
});

function tarball(files: Record<string, string>, member = "."): string {
  const tree = temporaryDirectory();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(tree, name), content);
  const path = join(scratch, "image.tar.gz");
  execFileSync("tar", ["-C", tree, "-czf", path, member]);
  return path;
}

describe("readImageConfig", () => {
  const config = { cmd: ["/bin/app", "-x"], env: { A: "1" }, cwd: "/srv" };

  it.each([".", "machinen-config.json"])("finds the configuration packed as %s", (member) => {
    const path = tarball({ "machinen-config.json": JSON.stringify(config) }, member);
    expect(readImageConfig(path)).toEqual(config);
    expect(readImageConfig(path)).toEqual(config);
  });

  it("gives null without one, with a bad one, and for what is no tarball", () => {
    expect(readImageConfig(tarball({ other: "x" }))).toBeNull();
    expect(readImageConfig(tarball({ "machinen-config.json": "{" }))).toBeNull();
    const path = join(scratch, "junk");
    writeFileSync(path, "junk");
    expect(readImageConfig(path)).toBeNull();
  });

  it("takes what it was warmed with until the tarball changes", () => {
    const path = tarball({ "machinen-config.json": JSON.stringify(config) });
    warmImageConfigCache(path, { cmd: ["warmed"] });
    expect(readImageConfig(path)).toEqual({ cmd: ["warmed"] });
    warmImageConfigCache(path, null);
    expect(readImageConfig(path)).toBeNull();
    tarball({ "machinen-config.json": '{"cwd":"/new"}' });
    expect(readImageConfig(path)).toEqual({ cwd: "/new" });
  });

  it("does without a cache that cannot be written, and without the tarball", () => {
    const path = tarball({ "machinen-config.json": JSON.stringify(config) });
    writeFileSync(join(scratch, "file"), "");
    vi.stubEnv("MACHINEN_CACHE_DIR", join(scratch, "file"));
    warmImageConfigCache(path, { cmd: ["warmed"] });
    expect(readImageConfig(path)).toEqual(config);
    warmImageConfigCache(join(scratch, "none.tar.gz"), null);
  });

  it("remembers the last 200 images", () => {
    const path = tarball({ "machinen-config.json": JSON.stringify(config) });
    const cache = join(scratch, "cache", "image-config");
    mkdirSync(cache, { recursive: true });
    for (let index = 0; index < 250; index++) {
      writeFileSync(join(cache, `${index}.json`), "null");
      utimesSync(join(cache, `${index}.json`), index + 1, index + 1);
    }
    warmImageConfigCache(path, { cmd: ["warmed"] });
    expect(readdirSync(cache)).toHaveLength(200);
    expect(readImageConfig(path)).toEqual({ cmd: ["warmed"] });
  });

  it("does not take a damaged cache entry", () => {
    const path = tarball({ "machinen-config.json": JSON.stringify(config) });
    readImageConfig(path);
    const cache = join(scratch, "cache", "image-config");
    for (const entry of readdirSync(cache)) writeFileSync(join(cache, entry), "{damaged");
    expect(readImageConfig(path)).toEqual(config);
  });
});

describe("parseImageConfig", () => {
  it.each(["null", "1", "[]", "{}", '{"cmd":[],"env":[],"cwd":""}', '{"cmd":[1],"env":{"A":1}}'])(
    "takes nothing from %s",
    (text) => {
      expect(parseImageConfig(text)).toBeNull();
    },
  );
});

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import {
  cli,
  packBundle,
  packMinimal,
  packRootfs,
  packTinyBundle,
  packWorkspace,
} from "../../../src/runtime/images/index.ts";
import { listCpio, unpackCpio } from "./cpio-tools.ts";
import { temporaryDirectory } from "./temporary.ts";

let scratch: string;
let initPath: string;
let out: string;

beforeEach(() => {
  scratch = temporaryDirectory();
  out = join(scratch, "out.cpio");
  initPath = join(scratch, "init-program");
  writeFileSync(initPath, "#!/bin/sh\n");
});

function bundle(config: object): string {
  const path = join(scratch, "bundle");
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "machinen-config.json"), JSON.stringify(config));
  return path;
}

const configIn = (root: string) =>
  JSON.parse(readFileSync(join(root, "machinen-config.json"), "utf8"));

describe("packMinimal", () => {
  it("holds init, the console and mount points", () => {
    packMinimal({ out, initPath });
    const list = listCpio(out);
    expect([...list.keys()]).toEqual(["dev", "dev/console", "init", "proc", "run", "sys", "tmp"]);
    expect(list.get("init")).toMatch(/^-rwxr-xr-x 1 0 0 10 /);
    expect(list.get("dev/console")).toMatch(/^crw------- 1 0 0 5, 1 /);
    expect(list.get("tmp")).toMatch(/^drwxrwxrwt /);
    expect(statSync(out).mode & 0o777).toBe(0o600);
  });

  it("says how to build a missing init, and leaves nothing", () => {
    expect(() => packMinimal({ out, initPath: join(scratch, "none") })).toThrow(
      expect.objectContaining({ code: "MKINITRAMFS_INIT_MISSING" }),
    );
    expect(() => statSync(out)).toThrow();
  });
});

describe("packRootfs", () => {
  it("keeps links, modes, odd names, sparse and empty files", () => {
    const rootfs = join(scratch, "rootfs");
    mkdirSync(join(rootfs, "dir"), { recursive: true });
    writeFileSync(join(rootfs, "dir/one"), "linked");
    linkSync(join(rootfs, "dir/one"), join(rootfs, "another"));
    linkSync(join(rootfs, "dir/one"), join(rootfs, "dir/third"));
    symlinkSync("../no/where", join(rootfs, "dangling"));
    writeFileSync(join(rootfs, "setuid"), "s");
    chmodSync(join(rootfs, "setuid"), 0o4755);
    writeFileSync(join(rootfs, "empty"), "");
    writeFileSync(join(rootfs, "hole"), "");
    truncateSync(join(rootfs, "hole"), 3_000_001);
    const odd = Buffer.concat([Buffer.from(`${rootfs}/odd name `), Buffer.from([0xfe, 0x80])]);
    writeFileSync(odd, "odd");
    execFileSync("mkfifo", [join(rootfs, "pipe")]);
    for (let size = 1; size <= 5; size++)
      writeFileSync(join(rootfs, `size${size}`), "z".repeat(size));
    packRootfs({ rootfs, out, initPath, excludes: ["size5", "nothing*"] });

    const root = unpackCpio(out);
    expect(statSync(join(root, "another")).nlink).toBe(3);
    expect(statSync(join(root, "another")).ino).toBe(statSync(join(root, "dir/third")).ino);
    expect(readFileSync(join(root, "dir/one"), "utf8")).toBe("linked");
    expect(readlinkSync(join(root, "dangling"))).toBe("../no/where");
    expect(lstatSync(join(root, "pipe")).isFIFO()).toBe(true);
    expect(statSync(join(root, "setuid")).mode & 0o7777).toBe(0o4755);
    expect(statSync(join(root, "empty")).size).toBe(0);
    expect(readFileSync(join(root, "hole")).equals(Buffer.alloc(3_000_001))).toBe(true);
    const name = Buffer.concat([Buffer.from(`${root}/odd name `), Buffer.from([0xfe, 0x80])]);
    expect(readFileSync(name, "utf8")).toBe("odd");
    for (let size = 1; size <= 4; size++)
      expect(readFileSync(join(root, `size${size}`), "utf8")).toBe("z".repeat(size));
    expect(() => statSync(join(root, "size5"))).toThrow();
  });

  it("gives the same bytes for the same tree", () => {
    const rootfs = join(scratch, "rootfs");
    mkdirSync(rootfs);
    for (const name of ["b", "a", "c"]) writeFileSync(join(rootfs, name), name);
    packRootfs({ rootfs, out, initPath });
    packRootfs({ rootfs, out: `${out}.2`, initPath });
    expect(readFileSync(out).equals(readFileSync(`${out}.2`))).toBe(true);
  });

  it("refuses a rootfs that is no directory", () => {
    expect(() => packRootfs({ rootfs: initPath, out, initPath })).toThrow(
      expect.objectContaining({ code: "MKINITRAMFS_BUNDLE_INVALID" }),
    );
  });
});

describe("packBundle", () => {
  it("puts base, mount and rootfs over each other, through the base's links", () => {
    const tree = join(scratch, "base");
    mkdirSync(join(tree, "usr/bin"), { recursive: true });
    symlinkSync("usr/bin", join(tree, "bin"));
    writeFileSync(join(tree, "usr/bin/tool"), "base");
    writeFileSync(join(tree, "usr/bin/kept"), "base");
    const base = join(scratch, "base.tar.gz");
    execFileSync("tar", ["-C", tree, "--owner=7", "--group=8", "-czf", base, "."]);
    const host = join(scratch, "host");
    mkdirSync(host);
    writeFileSync(join(host, "file"), "mounted");
    const path = bundle({ cmd: ["/x"], env: { A: "bundle" } });
    mkdirSync(join(path, "rootfs/bin"), { recursive: true });
    writeFileSync(join(path, "rootfs/bin/tool"), "bundle");
    writeFileSync(join(path, "rootfs/bin/left-out"), "bundle");
    packBundle({
      bundle: path,
      out,
      base,
      initPath,
      mount: { host, guest: "/mnt/data" },
      env: { A: "caller", B: "caller" },
      execAgentPath: initPath,
      fuseAgentPath: initPath,
      excludes: ["bin/left*"],
    });

    const root = unpackCpio(out);
    expect(readlinkSync(join(root, "bin"))).toBe("usr/bin");
    expect(readFileSync(join(root, "bin/tool"), "utf8")).toBe("bundle");
    expect(readFileSync(join(root, "bin/kept"), "utf8")).toBe("base");
    expect(readFileSync(join(root, "mnt/data/file"), "utf8")).toBe("mounted");
    expect(configIn(root)).toEqual({ cmd: ["/x"], env: { A: "bundle", B: "caller" } });
    expect(listCpio(out).get("usr/bin/kept")).toMatch(/^-rw-r--r-- 1 7 8 /);
    for (const program of ["exec-agent", "fuse-agent"]) {
      expect(listCpio(out).get(program)).toMatch(/^-rwxr-xr-x 1 0 0 /);
    }
    expect([...listCpio(out).keys()].join()).not.toContain("left-out");
  });

  it("refuses a bundle without a good configuration, and a damaged base", () => {
    const path = bundle({});
    writeFileSync(join(scratch, "bad.tar.gz"), "not a tarball");
    expect(() =>
      packBundle({ bundle: path, out, initPath, base: join(scratch, "bad.tar.gz") }),
    ).toThrow(expect.objectContaining({ code: "MKINITRAMFS_BASE_EXTRACT_FAILED" }));
    for (const text of ["{", "[]", "null"]) {
      writeFileSync(join(path, "machinen-config.json"), text);
      expect(() => packBundle({ bundle: path, out, initPath })).toThrow(
        expect.objectContaining({ code: "MKINITRAMFS_BUNDLE_INVALID" }),
      );
    }
    expect(() => statSync(out)).toThrow();
  });
});

describe("packTinyBundle", () => {
  it("carries the configuration and the mount's place, not the rootfs", () => {
    const path = bundle({ cmd: ["/x"] });
    mkdirSync(join(path, "rootfs"));
    writeFileSync(join(path, "rootfs/file"), "x");
    packTinyBundle({ bundle: path, out, initPath, mountGuest: "/mnt/w", env: { A: "1" } });
    const root = unpackCpio(out);
    const list = listCpio(out);
    expect([...list.keys()].filter((path) => /^(init|dev.console|fuse-agent)$/.test(path))).toEqual(
      ["dev/console", "init"],
    );
    expect(list.get("tmp")).toMatch(/^drwxrwxrwt /);
    packTinyBundle({ bundle: path, out: `${out}.live`, initPath, fuseAgentPath: initPath });
    const live = listCpio(`${out}.live`);
    expect(live.get("fuse-agent")).toMatch(/^-rwxr-xr-x 1 0 0 /);
    expect(live.has("etc/machinen-mountdisk-guest")).toBe(false);
    expect(configIn(root)).toEqual({ cmd: ["/x"], env: { A: "1" } });
    expect(readFileSync(join(root, "etc/machinen-mountdisk-guest"), "utf8")).toBe("/mnt/w");
    expect(Number(readFileSync(join(root, "etc/machinen-boot-epoch"), "utf8"))).toBeGreaterThan(
      1e9,
    );
    expect(() => statSync(join(root, "file"))).toThrow();
    for (const mountGuest of ["/etc", "mnt/w", "/mnt", "/mnt/", "/mnt/../etc"]) {
      expect(() => packTinyBundle({ bundle: path, out, initPath, mountGuest })).toThrow(
        expect.objectContaining({ code: "MKINITRAMFS_BUNDLE_INVALID" }),
      );
    }
  });
});

describe("packWorkspace", () => {
  it("leaves out by name at any depth and honours the limit", () => {
    const workspace = join(scratch, "work");
    mkdirSync(join(workspace, "sub/node_modules/x"), { recursive: true });
    writeFileSync(join(workspace, "sub/file"), Buffer.alloc(2 * 1024 * 1024));
    writeFileSync(join(workspace, "sub/a.log"), "log");
    packWorkspace({ workspace, out });
    expect([...listCpio(out).keys()]).toEqual([
      "workspace",
      "workspace/sub",
      "workspace/sub/a.log",
      "workspace/sub/file",
    ]);
    packWorkspace({ workspace, out, mountpoint: "src", excludes: ["*.log", "file"] });
    expect([...listCpio(out).keys()]).toContain("src/sub/node_modules/x");
    expect([...listCpio(out).keys()]).not.toContain("src/sub/a.log");

    expect(() => packWorkspace({ workspace, out: `${out}.2`, maxMb: 1 })).toThrow(
      expect.objectContaining({ code: "MKINITRAMFS_WORKSPACE_TOO_LARGE" }),
    );
    expect(() => statSync(`${out}.2`)).toThrow();
    expect(() => packWorkspace({ workspace: join(scratch, "none"), out })).toThrow(
      expect.objectContaining({ code: "MKINITRAMFS_WORKSPACE_INVALID" }),
    );
  });
});

describe("cli", () => {
  it("packs as the functions do", () => {
    const path = bundle({ env: { A: "1" } });
    cli(["tiny-bundle", "--bundle", path, `--out=${out}`, "--init", initPath, "--env", "B=x=y"]);
    expect(configIn(unpackCpio(out)).env).toEqual({ A: "1", B: "x=y" });
    cli(["workspace", "--workspace", path, "--out", out, "--exclude", "a", "--exclude", "*.json"]);
    expect([...listCpio(out).keys()]).toEqual(["workspace"]);
  });

  it.each([
    [["nothing"], "PARSE_FLAG_UNKNOWN"],
    [["minimal", "--output", "x"], "PARSE_FLAG_UNKNOWN"],
    [["minimal"], "PARSE_FLAG_MISSING_VALUE"],
    [["minimal", "--out"], "PARSE_FLAG_MISSING_VALUE"],
    [["minimal", "--out", "a", "--out", "b"], "PARSE_FLAG_DUPLICATE"],
    [["workspace", "--workspace", "a", "--out", "b", "--max-mb", "x"], "PARSE_FLAG_MALFORMED"],
    [["bundle", "--bundle", "a", "--out", "b", "--mount", "x"], "PARSE_FLAG_MALFORMED"],
  ])("refuses %j with %s", (argv, code) => {
    expect(() => cli(argv)).toThrow(expect.objectContaining({ code }));
  });
});

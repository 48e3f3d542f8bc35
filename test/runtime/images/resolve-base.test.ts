import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { assetNames } from "../../../src/runtime/assets/index.ts";
import {
  resolveBaseDtb,
  resolveBaseKernel,
  resolveBaseRootfs,
  resolveImage,
} from "../../../src/runtime/images/index.ts";
import { temporaryDirectory } from "./temporary.ts";

const names = assetNames();
let home: string;
let assets: string;
let installed: string;

beforeEach(() => {
  home = temporaryDirectory();
  vi.stubEnv("HOME", home);
  assets = join(home, "override");
  installed = join(home, ".machinen", "assets");
  mkdirSync(assets);
  mkdirSync(installed, { recursive: true });
  vi.stubEnv("MACHINEN_ASSETS_DIR", assets);
});

describe.each([
  ["rootfs", resolveBaseRootfs, names.debian, "PROVISION_BASE_NOT_FOUND"],
  ["kernel", resolveBaseKernel, names.kernel, "PROVISION_KERNEL_NOT_FOUND"],
  ["dtb", resolveBaseDtb, names.dtb, "PROVISION_DTB_NOT_FOUND"],
] as const)("the %s", (_, resolveBase, name, code) => {
  it("is the given file, else the override's, else the installed one", () => {
    expect(() => resolveBase()).toThrow(expect.objectContaining({ code }));
    writeFileSync(join(installed, name), "");
    expect(resolveBase()).toBe(join(installed, name));
    writeFileSync(join(assets, name), "");
    expect(resolveBase()).toBe(join(assets, name));
    writeFileSync(join(home, "mine"), "");
    expect(resolveBase("mine", home)).toBe(join(home, "mine"));
    expect(() => resolveBase("other", home)).toThrow(expect.objectContaining({ code }));
  });

  it("is named by an absolute path, wherever the override lies", () => {
    vi.stubEnv("MACHINEN_ASSETS_DIR", relative(process.cwd(), assets));
    writeFileSync(join(assets, name), "");
    expect(resolveBase()).toBe(join(assets, name));
  });

  it("is not looked for in an override that is no directory", () => {
    vi.stubEnv("MACHINEN_ASSETS_DIR", join(home, "none"));
    expect(() => resolveBase()).toThrow(
      expect.objectContaining({ code: "PROVISION_ASSETS_DIR_INVALID" }),
    );
  });
});

describe("resolveImage", () => {
  it("knows names and paths, and the command that installs a name", () => {
    expect(() => resolveImage("debian")).toThrow(/machinen install debian/);
    writeFileSync(join(assets, names.tiny), "");
    expect(resolveImage("tiny")).toBe(join(assets, names.tiny));
    writeFileSync(join(home, "root.tar"), "");
    expect(resolveImage("root.tar", home)).toBe(join(home, "root.tar"));
    for (const wrong of ["none.tar", "."])
      expect(() => resolveImage(wrong, home)).toThrow(
        expect.objectContaining({ code: "BOOT_IMAGE_NOT_FOUND" }),
      );
  });
});

import { execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { LZ4_LEGACY_MAGIC } from "../../../src/runtime/assets/lz4-legacy.ts";
import { extractVmlinux } from "../../../src/runtime/assets/vmlinux.ts";
import { legacyStream } from "./lz4-fixture.ts";

const kernel = Buffer.from(`\x7fELF${"kernel ".repeat(1000)}`, "latin1");
const stub = Buffer.concat([Buffer.from("MZ boot stub"), LZ4_LEGACY_MAGIC, Buffer.alloc(300, 1)]);
const after = Buffer.from("\x00\x10\x00\x00 code after the payload");

describe("extractVmlinux", () => {
  it.each([
    ["LZ4", legacyStream([kernel])],
    ["XZ", execFileSync("xz", ["-c", "--check=crc32"], { input: kernel })],
  ])("finds a %s payload behind a stub that holds a magic too", (_, payload) => {
    expect(extractVmlinux(Buffer.concat([stub, payload, after])).equals(kernel)).toBe(true);
  });

  it("takes a gzip file and a kernel that is not packed", () => {
    expect(extractVmlinux(gzipSync(kernel)).equals(kernel)).toBe(true);
    expect(extractVmlinux(kernel)).toBe(kernel);
    const image = Buffer.alloc(100);
    image.write("ARM\x64", 56, "latin1");
    expect(extractVmlinux(image)).toBe(image);
  });

  it("says so when there is no kernel, or a damaged one", () => {
    expect(() => extractVmlinux(stub)).toThrow(/no LZ4, XZ or gzip kernel/);
    const cut = legacyStream([kernel]).subarray(0, 500);
    expect(() => extractVmlinux(Buffer.concat([stub, cut]))).toThrow(/no LZ4, XZ or gzip kernel/);
    expect(() => extractVmlinux(Buffer.alloc(0))).toThrow(/no LZ4, XZ or gzip kernel/);
  });
});

import { describe, expect, it } from "vitest";
import {
  loadOrder,
  moduleDependencies,
  readModinfo,
} from "../../../src/runtime/assets/module-info.ts";

/** A 64-bit ELF file with a section name table and a `.modinfo` section. */
function moduleWith(modinfo: string): Buffer {
  const names = Buffer.from("\0.shstrtab\0.modinfo\0", "latin1");
  const info = Buffer.from(modinfo, "latin1");
  const header = Buffer.alloc(64);
  header.write("\x7fELF\x02\x01\x01", 0, "latin1");
  const tableAt = 64 + names.length + info.length;
  header.writeBigUInt64LE(BigInt(tableAt), 0x28);
  header.writeUInt16LE(64, 0x3a);
  header.writeUInt16LE(3, 0x3c);
  header.writeUInt16LE(1, 0x3e);
  const section = (name: number, offset: number, size: number) => {
    const entry = Buffer.alloc(64);
    entry.writeUInt32LE(name, 0);
    entry.writeBigUInt64LE(BigInt(offset), 0x18);
    entry.writeBigUInt64LE(BigInt(size), 0x20);
    return entry;
  };
  return Buffer.concat([
    header,
    names,
    info,
    Buffer.alloc(64),
    section(1, 64, names.length),
    section(11, 64 + names.length, info.length),
  ]);
}

describe("readModinfo", () => {
  it("reads keys and dependencies, with - as _", () => {
    const module = moduleWith("license=GPL\0depends=virtio,virtio-ring\0alias=a\0alias=b\0");
    expect(readModinfo(module).get("alias")).toEqual(["a", "b"]);
    expect(moduleDependencies(module)).toEqual(["virtio", "virtio_ring"]);
    expect(moduleDependencies(moduleWith("depends=\0"))).toEqual([]);
  });

  it("refuses what is no module and ends on every cut of one", () => {
    expect(() => readModinfo(Buffer.from("no module"))).toThrow(/ELF/);
    const module = moduleWith("depends=a\0");
    for (let length = 0; length < module.length; length++)
      expect(() => readModinfo(module.subarray(0, length))).toThrow();
  });
});

describe("loadOrder", () => {
  const dependencies: Record<string, string[]> = {
    net: ["failover", "virtio"],
    failover: [],
    virtio: ["ring"],
    ring: ["virtio"],
    blk: ["virtio"],
  };
  const of = (name: string) => dependencies[name];

  it("puts dependencies first, each once, and survives a circle", () => {
    expect(loadOrder(["blk", "net"], of)).toEqual(["ring", "virtio", "blk", "failover", "net"]);
  });

  it("leaves out what is built in", () => {
    expect(loadOrder(["ext4", "failover"], of)).toEqual(["failover"]);
  });
});

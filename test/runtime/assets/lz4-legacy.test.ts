import { describe, expect, it } from "vitest";
import {
  decodeLz4Block,
  decodeLz4Legacy,
  LZ4_LEGACY_MAGIC,
} from "../../../src/runtime/assets/lz4-legacy.ts";
import { legacyStream, literalBlock } from "./lz4-fixture.ts";

describe("decodeLz4Block", () => {
  it("copies literals, also long ones", () => {
    const data = Buffer.from("x".repeat(14) + "y".repeat(600));
    expect(decodeLz4Block(literalBlock(data), 1000)).toEqual(data);
  });

  it("repeats earlier bytes, overlapping and not", () => {
    // "abcd", then 4 bytes from 4 back, then 18 bytes from 1 back, then "!"
    const block = Buffer.from([0x40, 97, 98, 99, 100, 4, 0, 0x0e, 1, 0, 0x10, 33]);
    expect(decodeLz4Block(block, 100).toString()).toBe(`abcdabcd${"d".repeat(18)}!`);
  });

  it.each([
    ["an offset of zero", [0x10, 97, 0, 0, 0x10, 33]],
    ["an offset before the start", [0x10, 97, 2, 0, 0x10, 33]],
    ["literals past the end", [0x50, 97]],
    ["an endless length", [0xf0, 255, 255]],
    ["a cut offset", [0x10, 97, 1]],
    ["nothing", []],
  ])("refuses %s", (_, bytes) => {
    expect(() => decodeLz4Block(Buffer.from(bytes), 100)).toThrow(/LZ4/);
  });

  it("refuses to write more than it may", () => {
    expect(() => decodeLz4Block(literalBlock(Buffer.alloc(101)), 100)).toThrow(/bounds/);
    expect(() => decodeLz4Block(Buffer.from([0x1f, 97, 1, 0, 200, 0]), 100)).toThrow(/bounds/);
  });

  it("ends with bytes or an error on anything", () => {
    let seed = 1;
    const random = () => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      return seed >> 16;
    };
    for (let round = 0; round < 3000; round++) {
      const bytes = Buffer.from(Array.from({ length: random() % 40 }, () => random() & 255));
      try {
        expect(decodeLz4Block(bytes, 500).length).toBeLessThanOrEqual(500);
      } catch (error) {
        expect((error as Error).message).toMatch(/^LZ4/);
      }
    }
  });
});

describe("decodeLz4Legacy", () => {
  it("joins full blocks and stops at what follows the last", () => {
    const full = Buffer.alloc(8 * 1024 * 1024, 7);
    const rest = Buffer.from("the end");
    const stream = Buffer.concat([legacyStream([full, rest]), Buffer.from([1, 0, 0, 0, 9, 9])]);
    expect(decodeLz4Legacy(stream, 1 << 30).equals(Buffer.concat([full, rest]))).toBe(true);
  });

  it("refuses a missing magic, an empty stream and one that is too large", () => {
    expect(() => decodeLz4Legacy(Buffer.from("nope"), 100)).toThrow(/magic/);
    expect(() => decodeLz4Legacy(LZ4_LEGACY_MAGIC, 100)).toThrow(/no whole block/);
    expect(() => decodeLz4Legacy(legacyStream([Buffer.alloc(101)]), 100)).toThrow(/more than 100/);
  });
});

import { LZ4_LEGACY_MAGIC } from "../../../src/runtime/assets/lz4-legacy.ts";

/** An LZ4 block that holds the data as literals only. */
export function literalBlock(data: Buffer): Buffer {
  if (data.length < 15) return Buffer.concat([Buffer.from([data.length << 4]), data]);
  const length = data.length - 15;
  const more = Buffer.alloc(Math.floor(length / 255), 255);
  return Buffer.concat([Buffer.from([0xf0]), more, Buffer.from([length % 255]), data]);
}

/** A legacy stream of the given unpacked blocks. */
export function legacyStream(blocks: Buffer[]): Buffer {
  const parts = blocks.map(literalBlock).flatMap((block) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(block.length);
    return [size, block];
  });
  return Buffer.concat([LZ4_LEGACY_MAGIC, ...parts]);
}

/** First bytes of an LZ4 "legacy" stream, as the kernel build appends it to its boot stub. */
export const LZ4_LEGACY_MAGIC = Buffer.from([0x02, 0x21, 0x4c, 0x18]);

/** Every block of the legacy format but the last unpacks to exactly this much. */
const BLOCK_BYTES = 8 * 1024 * 1024;

/**
 * Unpack a legacy LZ4 stream at the start of `input`. Bytes after its last block are ignored when
 * they cannot be a block: in a kernel image the unpacked size and code follow without a mark.
 */
export function decodeLz4Legacy(input: Buffer, maxBytes: number): Buffer {
  if (!input.subarray(0, 4).equals(LZ4_LEGACY_MAGIC)) throw new Error("no LZ4 legacy magic");
  const blocks: Buffer[] = [];
  let total = 0;
  let at = 4;
  while (at + 4 <= input.length) {
    const size = input.readUInt32LE(at);
    if (size === 0 || at + 4 + size > input.length) break;
    const block = decodeLz4Block(input.subarray(at + 4, at + 4 + size), BLOCK_BYTES);
    at += 4 + size;
    total += block.length;
    if (total > maxBytes) throw new Error(`LZ4 stream unpacks to more than ${maxBytes} bytes`);
    blocks.push(block);
    if (block.length < BLOCK_BYTES) break;
  }
  if (blocks.length === 0) throw new Error("LZ4 stream holds no whole block");
  return Buffer.concat(blocks, total);
}

/** Unpack one LZ4 block; throws on anything that would read or write out of bounds. */
export function decodeLz4Block(input: Buffer, maxBytes: number): Buffer {
  const output = Buffer.allocUnsafe(maxBytes);
  let from = 0;
  let to = 0;

  const extendedLength = (nibble: number): number => {
    let length = nibble;
    if (nibble !== 15) return length;
    for (;;) {
      const byte = input[from++];
      if (byte === undefined) throw new Error("LZ4 block ends inside a length");
      length += byte;
      if (byte !== 255) return length;
    }
  };

  while (from < input.length) {
    const token = input[from++]!;
    const literals = extendedLength(token >> 4);
    if (from + literals > input.length || to + literals > maxBytes)
      throw new Error("LZ4 literals run out of bounds");
    input.copy(output, to, from, from + literals);
    from += literals;
    to += literals;
    if (from === input.length) return output.subarray(0, to);

    if (from + 2 > input.length) throw new Error("LZ4 block ends inside an offset");
    const offset = input[from]! | (input[from + 1]! << 8);
    from += 2;
    const length = extendedLength(token & 15) + 4;
    if (offset === 0 || offset > to || to + length > maxBytes)
      throw new Error("LZ4 match runs out of bounds");
    if (offset >= length) {
      output.copyWithin(to, to - offset, to - offset + length);
      to += length;
    } else {
      // An overlapping match repeats what it is writing, so it must go byte by byte.
      for (const end = to + length; to < end; to++) output[to] = output[to - offset]!;
    }
  }
  throw new Error("LZ4 block ends without literals");
}

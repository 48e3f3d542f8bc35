import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { readTar, type TarMember } from "./tar-reader.ts";

/** A root that is held in guest RAM is far below this; it keeps a gzip bomb from filling ours. */
const MAX_UNPACKED_BYTES = 2 * 1024 * 1024 * 1024 - 1;

/** The members of a tarball: plain, or compressed with gzip, xz or zstd. */
export function readTarball(path: string): Generator<TarMember> {
  return readTar(decompress(readFileSync(path)));
}

function decompress(bytes: Buffer): Buffer {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    return gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
  if (bytes.toString("latin1", 0, 6) === "\xfd7zXZ\0") return unpackWith("xz", bytes);
  if (bytes.length >= 4 && bytes.readUInt32LE(0) === 0xfd2fb528) return unpackWith("zstd", bytes);
  return bytes;
}

function unpackWith(program: string, bytes: Buffer): Buffer {
  return execFileSync(program, ["-dc", "-q"], { input: bytes, maxBuffer: MAX_UNPACKED_BYTES });
}

import { execFileSync } from "node:child_process";
import { gunzipSync } from "node:zlib";
import { decodeLz4Legacy, LZ4_LEGACY_MAGIC } from "./lz4-legacy.ts";

/** Far above any distribution kernel; keeps a damaged file from filling memory. */
const MAX_KERNEL_BYTES = 512 * 1024 * 1024;

const ELF_MAGIC = Buffer.from("\x7fELF", "latin1");
const XZ_MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b, 0x08]);
/** At byte 56 of an arm64 `Image`. */
const ARM64_MAGIC = Buffer.from("ARM\x64", "latin1");

/**
 * The bootable kernel inside a distribution's `vmlinuz`. A bzImage unpacks itself in the guest,
 * which under emulation costs about 0.4 s of every cold boot; unpacking it once here does not.
 */
export function extractVmlinux(vmlinuz: Buffer): Buffer {
  if (isBootable(vmlinuz)) return vmlinuz;
  const decoders: [Buffer, (payload: Buffer) => Buffer][] = [
    [LZ4_LEGACY_MAGIC, (payload) => decodeLz4Legacy(payload, MAX_KERNEL_BYTES)],
    [XZ_MAGIC, unxz],
    [GZIP_MAGIC, (payload) => gunzipSync(payload, { maxOutputLength: MAX_KERNEL_BYTES })],
  ];
  for (const [magic, decode] of decoders) {
    // The boot stub's code may hold the magic too, so each place is tried until one is a kernel.
    for (let at = vmlinuz.indexOf(magic); at >= 0; at = vmlinuz.indexOf(magic, at + 1)) {
      try {
        const kernel = decode(vmlinuz.subarray(at));
        if (isBootable(kernel)) return kernel;
      } catch {}
    }
  }
  throw new Error("no LZ4, XZ or gzip kernel was found inside vmlinuz");
}

/** Unpack XZ data; bytes after the stream are ignored, as a kernel image has some. */
export function unxz(payload: Buffer): Buffer {
  return execFileSync("xz", ["--decompress", "--stdout", "--single-stream", "--quiet"], {
    input: payload,
    maxBuffer: MAX_KERNEL_BYTES,
    stdio: ["pipe", "pipe", "ignore"],
  });
}

function isBootable(kernel: Buffer): boolean {
  return kernel.subarray(0, 4).equals(ELF_MAGIC) || kernel.subarray(56, 60).equals(ARM64_MAGIC);
}

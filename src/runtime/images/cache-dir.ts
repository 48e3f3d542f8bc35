import { createHash } from "node:crypto";
import { mkdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Root of everything that can be made again: `MACHINEN_CACHE_DIR`, else `~/.cache/machinen`. */
export function cacheRoot(): string {
  return resolve(process.env.MACHINEN_CACHE_DIR || join(homedir(), ".cache", "machinen"));
}

/** A directory for what can be made again, made when missing; only the owner may look inside. Absolute. */
export function cacheDir(path: string): string {
  const absolute = resolve(path);
  mkdirSync(absolute, { recursive: true, mode: 0o700 });
  return absolute;
}

/**
 * A key that changes whenever any of the files does. It goes by inode, size and times, which costs
 * microseconds where a checksum of the content would cost a good part of a boot.
 */
export function statKey(...paths: string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    hash.update(JSON.stringify([path, ...[dev, ino, size, mtimeNs, ctimeNs].map(String)]));
  }
  return hash.digest("hex").slice(0, 32);
}

import { createHash } from "node:crypto";
import { basename } from "node:path";
import { statKey } from "./cache-dir.ts";
import { recallDigest, rememberDigest } from "./remembered-digest.ts";
import { hashFile } from "./tree-manifest.ts";

const remembered = new Map<string, string>();

/**
 * One sha256 over the names and contents of some files. Reading a kernel or an image takes longer than a
 * boot from a template, so the answer is remembered for as long as none of them is touched.
 */
export function contentDigest(...paths: string[]): string {
  const key = statKey(...paths);
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const noted = recallDigest(key);
  const digest = noted ?? computeDigest(paths);
  if (noted === undefined) rememberDigest(key, digest);
  remembered.set(key, digest);
  return digest;
}

function computeDigest(paths: string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(`${basename(path)} ${hashFile(path)}\n`);
  return hash.digest("hex");
}

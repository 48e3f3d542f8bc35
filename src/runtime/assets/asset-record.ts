import { createHash } from "node:crypto";
import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { syncFile } from "../sync-file.ts";

/** What an installed asset consists of. Written after its files: a record means they are whole. */
export interface AssetRecord {
  /** The package and version, or the recipe, the files were made from. */
  version: string;
  /** Relative to the assets directory. */
  files: Record<string, { sizeBytes: number; sha256: string }>;
}

/** The record, or null when there is none or it cannot be understood. */
export function readRecord(path: string): AssetRecord | null {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isRecord(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

/** Describe files and write the record in one step, after everything it speaks of is on disk. */
export function writeRecord(
  directory: string,
  name: string,
  version: string,
  files: string[],
): AssetRecord {
  const record: AssetRecord = { version, files: {} };
  for (const file of files) {
    const content = readFileSync(join(directory, file));
    const sha256 = createHash("sha256").update(content).digest("hex");
    record.files[file] = { sizeBytes: content.length, sha256 };
  }
  const staged = join(directory, `.${name}.${process.pid}`);
  writeFileDurably(staged, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(staged, join(directory, name));
  return record;
}

/** The first thing that is wrong with a record's files, or null. Sizes only, unless `deep`. */
export function findDamage(directory: string, record: AssetRecord, deep = false): string | null {
  for (const [file, expected] of Object.entries(record.files)) {
    const path = join(directory, file);
    try {
      const size = statSync(path).size;
      if (size !== expected.sizeBytes)
        return `${path} has ${size} bytes instead of ${expected.sizeBytes}`;
      if (!deep) continue;
      const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
      if (sha256 !== expected.sha256) return `${path} does not have its recorded checksum`;
    } catch {
      return `${path} cannot be read`;
    }
  }
  return null;
}

/** Write a file and wait until it is on disk, so that a later rename never exposes a torn one. */
export function writeFileDurably(path: string, content: string | Buffer): void {
  writeFileSync(path, content);
  syncFile(path);
}

function isRecord(value: unknown): value is AssetRecord {
  const record = value as Partial<AssetRecord> | null;
  return (
    typeof record === "object" &&
    record !== null &&
    typeof record.version === "string" &&
    typeof record.files === "object" &&
    record.files !== null &&
    Object.values(record.files).every(
      (file) => typeof file?.sizeBytes === "number" && typeof file.sha256 === "string",
    )
  );
}

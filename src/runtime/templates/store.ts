import { randomBytes } from "node:crypto";
import {
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { cacheDir, cacheRoot } from "../images/index.ts";
import { readProcess } from "../registry/process.ts";

/*
 * ~/.cache/machinen/templates/<key>/: what `machinen-vmm save` wrote, and `template.json`, which tells
 * what the files were like when they were whole. A directory appears by one rename, complete.
 */

/** A template that can be given to a VMM. */
export interface Template {
  key: string;
  directory: string;
  /** Tells it from an earlier or later template of the same key. */
  instance: string;
}

const RECORD = "template.json";
const STAGING = /^\.staging-(\d+)-/;

export const templatesRoot = (): string => cacheDir(join(cacheRoot(), "templates"));
export const templateDirectory = (key: string): string => join(templatesRoot(), key);
export const stagingDirectory = (nonce: string): string =>
  join(templatesRoot(), `.staging-${process.pid}-${nonce}`);

interface FileRecord {
  name: string;
  size: number;
  /** As text: it has more digits than a number. */
  mtimeNs: string;
  /**
   * Which file it is and when anything of it was changed last, which only root could set back. Not of a disk that
   * is shared with the image cache: each template that comes or goes changes it.
   */
  inode?: string;
}

function describeFile(directory: string, name: string): FileRecord {
  const stat = statSync(join(directory, name), { bigint: true });
  const inode = stat.nlink === 1n ? `${stat.ino}-${stat.ctimeNs}` : undefined;
  return { name, size: Number(stat.size), mtimeNs: String(stat.mtimeNs), inode };
}

/** `recorded` by an older machinen has no inode. */
function isSame(found: FileRecord, recorded: FileRecord): boolean {
  return (
    found.size === recorded.size &&
    found.mtimeNs === recorded.mtimeNs &&
    (recorded.inode === undefined || found.inode === recorded.inode)
  );
}

function instanceOf(directory: string): string {
  const { ino, ctimeNs } = statSync(join(directory, RECORD), { bigint: true });
  return `${ino}-${ctimeNs}`;
}

/** The template of this key, unless there is none or one of its files is not as it was written. */
export function findTemplate(key: string): Template | undefined {
  const directory = templateDirectory(key);
  try {
    const record = JSON.parse(readFileSync(join(directory, RECORD), "utf8"));
    if (record.key !== key || !Array.isArray(record.files) || record.files.length === 0) {
      return undefined;
    }
    for (const file of record.files as FileRecord[]) {
      if (!isSame(describeFile(directory, file.name), file)) return undefined;
    }
    return { key, directory, instance: instanceOf(directory) };
  } catch {
    return undefined;
  }
}

/** What was used last is kept longest. */
export function touchTemplate(template: Template): void {
  try {
    const now = new Date();
    utimesSync(template.directory, now, now);
  } catch {
    // Somebody removed it: the VMM will say so.
  }
}

/** The lowest layer of the disk is the cached image itself: let both be one file where they can. */
function shareDisk(directory: string, baseImage: string): void {
  const copy = join(directory, "disk0-0.raw");
  const staged = `${copy}.link`;
  try {
    if (statSync(copy).size !== statSync(baseImage).size) return;
    linkSync(baseImage, staged);
    renameSync(staged, copy);
  } catch {
    rmSync(staged, { force: true }); // Another file system: the copy does as well.
  }
}

/** Put a written template in its place; when another one is there already, that one stays. */
export function publishTemplate(staging: string, key: string, baseImage?: string): Template {
  if (baseImage !== undefined) shareDisk(staging, baseImage);
  const files = readdirSync(staging).map((name) => describeFile(staging, name));
  writeFileSync(join(staging, RECORD), JSON.stringify({ key, files }), { mode: 0o600 });
  const directory = templateDirectory(key);
  try {
    renameSync(staging, directory);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if ((code !== "ENOTEMPTY" && code !== "EEXIST") || !findTemplate(key)) throw error;
    rmSync(staging, { recursive: true, force: true });
  }
  return { key, directory, instance: instanceOf(directory) };
}

/**
 * Throw a template away, whole or not: it goes out of everybody's sight first. Machines that run from it
 * keep what they have opened.
 */
export function discardTemplate(key: string): void {
  const doomed = stagingDirectory(randomBytes(6).toString("hex"));
  try {
    renameSync(templateDirectory(key), doomed);
  } catch {
    return; // There was none.
  }
  rmSync(doomed, { recursive: true, force: true });
}

export interface StoredTemplate {
  key: string;
  directory: string;
  /** What it takes on the disk; a disk image shared with the image cache is not counted. */
  bytes: number;
  usedAtMs: number;
}

function diskBytes(directory: string): number {
  let bytes = 0;
  for (const name of readdirSync(directory)) {
    const { blocks, nlink } = statSync(join(directory, name));
    if (nlink === 1) bytes += blocks * 512;
  }
  return bytes;
}

/** All templates, whole or not. */
export function listTemplates(): StoredTemplate[] {
  return readdirSync(templatesRoot())
    .filter((name) => /^[0-9a-f]{40}$/.test(name))
    .flatMap((key) => {
      const directory = templateDirectory(key);
      try {
        return [
          { key, directory, bytes: diskBytes(directory), usedAtMs: statSync(directory).mtimeMs },
        ];
      } catch {
        return [];
      }
    });
}

/** What builders that died left behind. */
export function sweepStaging(dryRun = false): string[] {
  const left = readdirSync(templatesRoot())
    .filter((name) => {
      const pid = STAGING.exec(name)?.[1];
      return pid !== undefined && readProcess(Number(pid)) === undefined;
    })
    .map((name) => join(templatesRoot(), name));
  if (!dryRun) for (const path of left) rmSync(path, { recursive: true, force: true });
  return left;
}

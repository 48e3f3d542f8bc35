import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { SnapshotError } from "../errors.ts";
import { readProcess } from "../registry/process.ts";
import { syncFile } from "../sync-file.ts";
import { MOUNT_FILES } from "./bundle.ts";
import { withChecksum } from "./meta-checksum.ts";
import { forgetPartial, notedPartials, notePartial } from "./staging-notes.ts";

/** A bundle in the making: a sibling of its final place, so that one rename makes it whole. */
export interface BundleStaging {
  path: string;
  imgDir: string;
}

/** Refuse a place that holds anything: a bundle is never overwritten. */
export function checkOutDir(outDir: string): void {
  let names: string[];
  try {
    names = readdirSync(outDir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new SnapshotError(
      "SNAPSHOT_DUMP_FAILED",
      `outDir ${outDir} cannot be used: ${(error as Error).message}`,
      { cause: error },
    );
  }
  if (names.length > 0) {
    throw new SnapshotError(
      "SNAPSHOT_DUMP_FAILED",
      `outDir ${outDir} is not empty\nNext: name a directory that is absent or empty`,
    );
  }
}

/** A process in a file name: its pid, and what tells it from others that had this pid. */
function writerTag(pid: number): string | undefined {
  const identity = readProcess(pid)?.identity;
  if (identity === undefined) return undefined;
  return `${pid}-${createHash("sha256").update(identity).digest("hex").slice(0, 16)}`;
}

const PARTIAL = /^\.partial-((\d+)-[0-9a-f]{16})-[0-9a-f]{8}$/;

/** What a process that died in the middle of a snapshot left. */
export interface PartialBundle {
  path: string;
  creatorPid: number;
}

/** The partial bundle of this path, if its writer has died. */
function asAbandoned(path: string): PartialBundle[] {
  const [, tag, pid] = PARTIAL.exec(basename(path)) ?? [];
  const creatorPid = Number(pid);
  return tag === undefined || writerTag(creatorPid) === tag ? [] : [{ path, creatorPid }];
}

function removePartial({ path }: PartialBundle): void {
  rmSync(path, { recursive: true, force: true });
  forgetPartial(path);
}

/** Remove such bundles from a directory. Returns what was (or would be) removed. */
export function sweepPartialBundles(parent: string, dryRun = false): PartialBundle[] {
  let names: string[] = [];
  try {
    names = readdirSync(parent);
  } catch {
    return [];
  }
  const partial = names.flatMap((name) => asAbandoned(join(parent, name)));
  if (!dryRun) for (const one of partial) removePartial(one);
  return partial;
}

/** The same wherever they were written. */
export function sweepNotedBundles(dryRun = false): PartialBundle[] {
  const partial = notedPartials().flatMap(asAbandoned);
  const there = partial.filter(({ path }) => existsSync(path));
  if (!dryRun) for (const one of partial) removePartial(one);
  return there;
}

/** Guest memory may hold anything: nobody else may read a bundle. */
export function stageBundle(outDir: string): BundleStaging {
  const parent = dirname(outDir);
  mkdirSync(parent, { recursive: true });
  sweepPartialBundles(parent);
  // Without the bundle's own name, which may be as long as a file name can be.
  const name = `.partial-${writerTag(process.pid)}-${randomBytes(4).toString("hex")}`;
  const path = join(parent, name);
  const imgDir = join(path, "img");
  notePartial(path);
  mkdirSync(imgDir, { recursive: true, mode: 0o700 });
  return { path, imgDir };
}

/** What is of use without the rest of the machine lies on top. */
function liftMountFiles({ path, imgDir }: BundleStaging): void {
  for (const name of Object.values(MOUNT_FILES)) {
    if (existsSync(join(imgDir, name))) renameSync(join(imgDir, name), join(path, name));
  }
}

/** Add the description and put the bundle in its place: after this it survives a power cut. */
export function publishBundle(staging: BundleStaging, meta: object, outDir: string): void {
  liftMountFiles(staging);
  const fd = openSync(join(staging.path, "meta.json"), "wx", 0o600);
  try {
    writeSync(fd, `${JSON.stringify(withChecksum(meta), null, 2)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  syncFile(staging.imgDir);
  syncFile(staging.path);
  renameSync(staging.path, outDir);
  forgetPartial(staging.path);
  syncFile(dirname(outDir));
}

export function discardStaging(staging: BundleStaging): void {
  rmSync(staging.path, { recursive: true, force: true });
  forgetPartial(staging.path);
}

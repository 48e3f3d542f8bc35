import { randomBytes } from "node:crypto";
import {
  closeSync,
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
      `outDir ${outDir} is not empty; name a directory that is absent or empty`,
    );
  }
}

const PARTIAL = /^\..+\.partial-(\d+)-[0-9a-f]+$/;

/** Remove what processes that died in the middle of a snapshot left in this directory. */
export function sweepPartialBundles(parent: string): void {
  let names: string[] = [];
  try {
    names = readdirSync(parent);
  } catch {
    return;
  }
  for (const name of names) {
    const pid = PARTIAL.exec(name)?.[1];
    if (pid !== undefined && readProcess(Number(pid)) === undefined) {
      rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
}

/** Guest memory may hold anything: nobody else may read a bundle. */
export function stageBundle(outDir: string): BundleStaging {
  const parent = dirname(outDir);
  mkdirSync(parent, { recursive: true });
  sweepPartialBundles(parent);
  const suffix = `partial-${process.pid}-${randomBytes(4).toString("hex")}`;
  const path = join(parent, `.${basename(outDir)}.${suffix}`);
  const imgDir = join(path, "img");
  mkdirSync(imgDir, { recursive: true, mode: 0o700 });
  return { path, imgDir };
}

function sync(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Add the description and put the bundle in its place: after this it survives a power cut. */
export function publishBundle(staging: BundleStaging, meta: object, outDir: string): void {
  const fd = openSync(join(staging.path, "meta.json"), "wx", 0o600);
  try {
    writeSync(fd, `${JSON.stringify(meta, null, 2)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  sync(staging.imgDir);
  sync(staging.path);
  renameSync(staging.path, outDir);
  sync(dirname(outDir));
}

export function discardStaging(staging: BundleStaging): void {
  rmSync(staging.path, { recursive: true, force: true });
}

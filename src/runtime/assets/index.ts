import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { ErrorCode, ProvisionError } from "../errors.ts";
import { syncFile } from "../sync-file.ts";
import { findDamage, readRecord, writeRecord } from "./asset-record.ts";
import { assetNames, assetsDir } from "./assets-dir.ts";
import { buildDebianBase, DEBIAN_RECIPE } from "./debian-base.ts";
import { withInstallLock } from "./install-lock.ts";
import { buildKernel, KERNEL_RECIPE } from "./kernel.ts";
import { buildTinyBase } from "./tiny-base.ts";
import { TINY_RECIPE } from "./tiny-tree.ts";

export { assetNames, assetsDir, debianArch } from "./assets-dir.ts";

export type AssetKind = "kernel" | "tiny" | "debian";

export const ASSET_KINDS: readonly AssetKind[] = ["kernel", "tiny", "debian"];

export interface AssetStatus {
  kind: AssetKind;
  state: "present" | "missing" | "damaged";
  /** The kernel or the base tarball. */
  path: string;
  /** Bytes on disk, modules included. */
  sizeBytes: number;
  /** Package or recipe it was made from; unknown for files put there by hand. */
  version?: string;
  /** What is wrong with a damaged one. */
  problem?: string;
}

export interface InstallOptions {
  kinds: readonly AssetKind[];
  /** Told every step, in words for a user. */
  onProgress?: (step: string) => void;
  /** Make them anew even when they are there. */
  force?: boolean;
}

/** What is installed. `deep` compares checksums too, which reads every file. */
export function assetStatus(options: { deep?: boolean } = {}): AssetStatus[] {
  return ASSET_KINDS.map((kind) => statusOf(kind, options.deep ?? false));
}

/**
 * Install what is missing or damaged. Each asset is built beside its place and moved there whole;
 * several installations at once take turns, and the later ones find the work done.
 *
 * @throws {ProvisionError} PROVISION_KERNEL_NOT_FOUND | PROVISION_BASE_NOT_FOUND |
 * PROVISION_ASSETS_DIR_INVALID
 */
export async function installAssets(options: InstallOptions): Promise<AssetStatus[]> {
  const { kinds, onProgress = () => {}, force = false } = options;
  const isNeeded = (kind: AssetKind) => force || statusOf(kind, false).state !== "present";
  if (kinds.some(isNeeded)) {
    const directory = usableAssetsDir();
    const onWait = () => onProgress("waiting for another installation to finish");
    await withInstallLock(directory, onWait, async () => {
      removeLeftovers(directory);
      for (const kind of kinds) if (isNeeded(kind)) await installOne(kind, directory, onProgress);
    });
  }
  return kinds.map((kind) => statusOf(kind, false));
}

async function installOne(
  kind: AssetKind,
  directory: string,
  onProgress: (step: string) => void,
): Promise<void> {
  const names = assetNames();
  const staging = mkdtempSync(join(directory, ".staging-"));
  try {
    if (kind === "kernel") {
      const version = await buildKernel(staging, onProgress);
      publish(staging, directory, recordName(kind), version, [names.kernel, names.modules]);
    } else {
      const build = kind === "tiny" ? buildTinyBase : buildDebianBase;
      const version = await build(staging, join(staging, names[kind]), onProgress);
      publish(staging, directory, recordName(kind), version, [names[kind]]);
    }
    onProgress(`${kind} is installed in ${directory}`);
  } catch (cause) {
    if (cause instanceof ProvisionError) throw cause;
    const code =
      kind === "kernel" ? ErrorCode.PROVISION_KERNEL_NOT_FOUND : ErrorCode.PROVISION_BASE_NOT_FOUND;
    throw new ProvisionError(
      code,
      `${kind} could not be installed: ${(cause as Error).message}\nTry again with \`machinen install ${kind}\``,
      { cause, retryable: true },
    );
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Move finished entries into place. The record goes first and comes back last. */
function publish(
  staging: string,
  directory: string,
  record: string,
  version: string,
  entries: string[],
): void {
  rmSync(join(directory, record), { force: true });
  for (const entry of entries) {
    const target = join(directory, entry);
    // A directory cannot be renamed over one that has files in it.
    if (statSync(join(staging, entry)).isDirectory() && statSync(target, { throwIfNoEntry: false }))
      renameSync(target, join(staging, `${entry}.old`));
    renameSync(join(staging, entry), target);
  }
  syncFile(directory);
  writeRecord(
    directory,
    record,
    version,
    entries.flatMap((entry) => filesBelow(directory, entry)),
  );
}

function statusOf(kind: AssetKind, deep: boolean): AssetStatus {
  const directory = assetsDir();
  const path = join(directory, assetNames()[kind]);
  const size = fileSize(path);
  if (size === undefined) return { kind, state: "missing", path, sizeBytes: 0 };
  const record = readRecord(join(directory, recordName(kind)));
  if (!record) {
    // Files somebody put there are theirs to vouch for; a kernel without modules cannot be.
    const state = kind === "kernel" ? "damaged" : "present";
    const problem = state === "damaged" ? `${recordName(kind)} is missing` : undefined;
    return { kind, state, path, sizeBytes: size, problem };
  }
  const problem = findDamage(directory, record, deep) ?? findAge(kind, record.version);
  const sizeBytes = Object.values(record.files).reduce((sum, file) => sum + file.sizeBytes, 0);
  const state = problem ? "damaged" : "present";
  return { kind, state, path, sizeBytes, version: record.version, problem };
}

/** What is wrong with an asset that was made from an earlier recipe of ours. */
function findAge(kind: AssetKind, version: string): string | undefined {
  // Not of the package a kernel is from: the next one is the user's choice.
  const recipe = { kernel: KERNEL_RECIPE, tiny: TINY_RECIPE, debian: DEBIAN_RECIPE }[kind];
  if (version.endsWith(`recipe ${recipe}`)) return undefined;
  return `it was made by another version of machinen (${version})`;
}

/** Undefined when there is no such file, or nothing that could hold it. */
function fileSize(path: string): number | undefined {
  try {
    return statSync(path).size;
  } catch {
    return undefined;
  }
}

function recordName(kind: AssetKind): string {
  const names = assetNames();
  return kind === "kernel" ? names.kernelRecord : names[kind].replace(/\.tar\.gz$/, ".json");
}

function filesBelow(directory: string, entry: string): string[] {
  if (!statSync(join(directory, entry)).isDirectory()) return [entry];
  return readdirSync(join(directory, entry))
    .sort()
    .map((file) => join(entry, file));
}

function usableAssetsDir(): string {
  const directory = assetsDir();
  try {
    mkdirSync(directory, { recursive: true });
  } catch (cause) {
    throw new ProvisionError(
      ErrorCode.PROVISION_ASSETS_DIR_INVALID,
      `the assets directory ${directory} cannot be made: ${(cause as Error).message}\n` +
        "Next: set MACHINEN_ASSETS_DIR to a directory you can write",
      { cause },
    );
  }
  return directory;
}

/** Staging directories of installations that died. Only called under the lock. */
function removeLeftovers(directory: string): void {
  for (const entry of readdirSync(directory)) {
    if (entry.startsWith(".staging-"))
      rmSync(join(directory, entry), { recursive: true, force: true });
  }
}

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { BootError } from "../errors.ts";
import { checkName, type RegistryEntry } from "../registry/index.ts";
import { checked } from "./meta-checksum.ts";
import type { SnapshotMeta } from "./options.ts";

/** What `meta.json` holds: the public part, and what tells whether this host can restore it. */
export interface BundleMeta extends SnapshotMeta {
  arch: string;
}

/** The part of `img/vmm.json` the runtime uses; the VMM checks the rest when it loads. */
interface SavedMachine {
  memoryMib: number;
  /** What of it is not in the guest's balloon. */
  ceilingMib?: number;
  cpus?: number;
}

export interface Bundle {
  meta: BundleMeta;
  machine: SavedMachine;
  imgDir: string;
}

const MAX_JSON_BYTES = 1024 * 1024;

/** The disks of a mount in a bundle: a squashfs image, and an ext4 image of all that was written over it. */
export const MOUNT_FILES = { lower: "mount-lower.sqfs", upper: "mount-upper.img" } as const;

export function describeBundle(entry: RegistryEntry): BundleMeta {
  return {
    ...(entry.mountDisk && { mountDisk: { guest: entry.mountDisk.guest, ...MOUNT_FILES } }),
    sourceName: entry.name,
    sourceImage: entry.imagePath,
    snappedAt: Date.now(),
    liveMounts: entry.liveMounts,
    arch: process.arch,
  };
}

function unusable(snapDir: string, reason: string): BootError {
  return new BootError("BOOT_SNAPSHOT_NOT_FOUND", `${snapDir} cannot be restored: ${reason}`);
}

type Fields = Record<string, unknown>;

function readJson(snapDir: string, name: string): Fields {
  const path = join(snapDir, name);
  let text: string;
  try {
    const stat = statSync(path);
    // A pipe would be waited for, for ever.
    if (!stat.isFile()) throw new Error("it is no file");
    if (stat.size > MAX_JSON_BYTES) throw new Error("it is too large");
    text = readFileSync(path, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw unusable(snapDir, missing ? `it has no ${name}` : `${name}: ${(error as Error).message}`);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Fields;
  } catch {
    // Falls through: the same answer as for JSON of another shape.
  }
  throw unusable(snapDir, `${name} is damaged`);
}

function optionalText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function optionalNumber(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** Machines are named after it: what cannot be a name is worth no more than none. */
function optionalName(value: unknown): string | undefined {
  try {
    if (typeof value !== "string") return undefined;
    checkName(value);
    return value;
  } catch {
    return undefined;
  }
}

function parseLiveMounts(value: unknown): SnapshotMeta["liveMounts"] {
  if (!Array.isArray(value)) return undefined;
  return value.filter(
    (share) =>
      typeof share?.guest === "string" &&
      typeof share.host === "string" &&
      (share.mode === "ro" || share.mode === "rw"),
  );
}

/** Files are taken from the bundle only, whatever it says. */
function parseMountDisk(snapDir: string, value: unknown): SnapshotMeta["mountDisk"] {
  if (value === undefined) return undefined;
  const { guest, lower, upper } = (value ?? {}) as Fields;
  const sound = [lower, upper].every(
    (name) => typeof name === "string" && /^[^/\0]+$/.test(name) && !name.startsWith("."),
  );
  if (typeof guest !== "string" || !sound) throw unusable(snapDir, "meta.json is damaged");
  return { guest, lower: lower as string, upper: upper as string };
}

/** What a bundle says of itself. @throws {BootError} BOOT_SNAPSHOT_NOT_FOUND */
export function readBundleMeta(snapDir: string): BundleMeta {
  if (!statSync(snapDir, { throwIfNoEntry: false })?.isDirectory()) {
    throw unusable(snapDir, "there is no such directory");
  }
  const meta = checked(readJson(snapDir, "meta.json"));
  if (meta === undefined) throw unusable(snapDir, "meta.json is damaged: its checksum is wrong");
  if (typeof meta.snappedAt !== "number" || typeof meta.arch !== "string") {
    throw unusable(snapDir, "meta.json is damaged");
  }
  return {
    sourceName: optionalName(meta.sourceName),
    sourceImage: optionalText(meta.sourceImage),
    snappedAt: meta.snappedAt,
    mountDisk: parseMountDisk(snapDir, meta.mountDisk),
    liveMounts: parseLiveMounts(meta.liveMounts),
    arch: meta.arch,
  };
}

/** A bundle that can be given to a VMM. @throws {BootError} BOOT_SNAPSHOT_NOT_FOUND */
export function openBundle(snapDir: string): Bundle {
  const meta = readBundleMeta(snapDir);
  if (meta.arch !== process.arch) {
    throw unusable(snapDir, `it holds a machine of ${meta.arch}, this host is ${process.arch}`);
  }
  const saved = readJson(snapDir, join("img", "vmm.json"));
  if (typeof saved.memoryMib !== "number") throw unusable(snapDir, "img/vmm.json is damaged");
  return {
    meta,
    machine: {
      memoryMib: saved.memoryMib,
      ceilingMib: optionalNumber(saved.ceilingMib),
      cpus: optionalNumber(saved.cpus),
    },
    imgDir: join(snapDir, "img"),
  };
}

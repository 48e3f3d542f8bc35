import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { readBundleMeta } from "../snapshot/bundle.ts";
import { sweepPartialBundles } from "../snapshot/bundle-staging.ts";
import type { SnapshotInfo } from "./host.ts";

/** Where bundles go unless told otherwise: `~/.machinen/snapshots`, or `MACHINEN_SNAPSHOT_DIR`. */
export function snapshotRoot(): string {
  return process.env.MACHINEN_SNAPSHOT_DIR || join(homedir(), ".machinen", "snapshots");
}

/** A directory name made of the machine's name and the time, e.g. `m1-2025-01-31-120000-123`. Pure. */
export function bundleDirectoryName(machine: string, at: Date): string {
  const name = machine.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^\.+/, "");
  const time = at.toISOString().replace("T", "-").replace(/[:Z]/g, "").replace(".", "-");
  return `${name || "machine"}-${time}`;
}

/** Bundles below the snapshot root, newest first; anything else there is passed over. */
export function listBundles(): SnapshotInfo[] {
  const root = snapshotRoot();
  sweepPartialBundles(root);
  let names: string[] = [];
  try {
    names = readdirSync(root).filter((name) => !name.startsWith("."));
  } catch {
    return [];
  }
  const bundles = names.flatMap((name) => {
    const directory = join(root, name);
    try {
      const { sourceName, snappedAt } = readBundleMeta(directory);
      return [{ directory, sourceName, takenAt: snappedAt }];
    } catch {
      return [];
    }
  });
  return bundles.sort((a, b) => b.takenAt - a.takenAt);
}

import { snapshotRoot } from "../host/snapshot-store.ts";
import { type GcResult, list, type RunGcOptions, runGc } from "../registry/index.ts";
import { sweepNotedBundles, sweepPartialBundles } from "../snapshot/bundle-staging.ts";
import { type OrphanDir, sweepRunDirs } from "./orphan-dirs.ts";

/** Remove machines and directories whose creator died before it could register them. */
export function sweepOrphans(dryRun = false): OrphanDir[] {
  const registered = () => new Set(list().flatMap(({ runDir }) => (runDir ? [runDir] : [])));
  return sweepRunDirs(registered, dryRun);
}

const SWEEP_EVERY_MS = 30_000;
let sweptAt = Number.NEGATIVE_INFINITY;

/** Looking at every machine takes longer than all else a boot does here: one that has just looked does not. */
export function sweepOrphansSometimes(): void {
  if (performance.now() - sweptAt < SWEEP_EVERY_MS) return;
  sweptAt = performance.now();
  sweepOrphans();
}

/**
 * Remove what dead machines left: those of the registry, those that never got into it, and bundles that
 * were never finished. What no registry entry names is reported under the pid of the process that made it.
 */
export function collectGarbage(opts: RunGcOptions = {}): GcResult[] {
  const results = runGc(opts);
  if (opts.pid !== undefined) return results;
  // Only a dry run finds again what a record names: otherwise it is gone by now.
  const told = new Set(results.flatMap(({ removedPaths }) => removedPaths));
  const found = [
    ...sweepOrphans(opts.dryRun),
    ...sweepNotedBundles(opts.dryRun),
    ...sweepPartialBundles(snapshotRoot(), opts.dryRun),
  ].filter(({ path }) => !told.has(path) && told.add(path));
  const unregistered = found.map(({ path, creatorPid }) => ({
    pid: creatorPid,
    status: "dead" as const,
    removedPaths: [path],
    failedPaths: [],
    registryRemoved: true,
  }));
  return [...results, ...unregistered];
}

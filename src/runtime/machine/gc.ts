import { type GcResult, list, type RunGcOptions, runGc } from "../registry/index.ts";
import { type OrphanDir, sweepRunDirs } from "./run-dir.ts";

/** Remove machines and directories whose creator died before it could register them. */
export function sweepOrphans(dryRun = false): OrphanDir[] {
  const inUse = new Set(list().flatMap((entry) => (entry.runDir ? [entry.runDir] : [])));
  return sweepRunDirs(inUse, dryRun);
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
 * Remove what dead machines left: those of the registry, and those that never got into it, which are
 * reported under their creator's pid.
 */
export function collectGarbage(opts: RunGcOptions = {}): GcResult[] {
  const results = runGc(opts);
  if (opts.pid !== undefined) return results;
  const orphans = sweepOrphans(opts.dryRun).map(({ path, creatorPid }) => ({
    pid: creatorPid,
    status: "dead" as const,
    removedPaths: [path],
    failedPaths: [],
    registryRemoved: true,
  }));
  return [...results, ...orphans];
}

import { type GcResult, list, type RunGcOptions, runGc } from "../registry/index.ts";
import { type OrphanDir, sweepRunDirs } from "./run-dir.ts";

/** Remove machines and directories whose creator died before it could register them. */
export function sweepOrphans(dryRun = false): OrphanDir[] {
  const registered = () => new Set(list().flatMap(({ runDir }) => (runDir ? [runDir] : [])));
  return sweepRunDirs(registered, dryRun);
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

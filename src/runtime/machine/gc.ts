import { type GcResult, list, type RunGcOptions, runGc } from "../registry/index.ts";
import { sweepRunDirs } from "./run-dir.ts";

/** Remove machines and directories whose creator died before it could register them. */
export function sweepOrphans(dryRun = false): string[] {
  const inUse = new Set(list().flatMap((entry) => (entry.runDir ? [entry.runDir] : [])));
  return sweepRunDirs(inUse, dryRun);
}

/** Remove what dead machines left: those of the registry, and those that never got into it. */
export function collectGarbage(opts: RunGcOptions = {}): GcResult[] {
  const results = runGc(opts);
  if (opts.pid === undefined) sweepOrphans(opts.dryRun);
  return results;
}

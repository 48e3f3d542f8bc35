import { cacheLimitBytes } from "../cache-limit.ts";
import { liveEntries } from "../registry/index.ts";
import { discardTemplate, listTemplates, type StoredTemplate, sweepStaging } from "./store.ts";

const DEFAULT_LIMIT_MIB = 4096;
/** A boot that has chosen a template opens it within this time. */
const GRACE_MS = 60_000;

/** `MACHINEN_TEMPLATES_MAX_MIB`, else 4 GiB. */
export function templatesLimitBytes(env: NodeJS.ProcessEnv = process.env): number {
  return cacheLimitBytes(env.MACHINEN_TEMPLATES_MAX_MIB, DEFAULT_LIMIT_MIB);
}

/** Which entries of a cache must go for the rest to fit: the least recently used first, never one in use. Pure. */
export function selectEvictions<Stored extends Pick<StoredTemplate, "key" | "bytes" | "usedAtMs">>(
  templates: readonly Stored[],
  limitBytes: number,
  inUse: ReadonlySet<string>,
  nowMs: number,
): Stored[] {
  let total = templates.reduce((sum, { bytes }) => sum + bytes, 0);
  const evicted: Stored[] = [];
  for (const template of [...templates].sort((a, b) => a.usedAtMs - b.usedAtMs)) {
    if (total <= limitBytes) break;
    if (inUse.has(template.key) || nowMs - template.usedAtMs < GRACE_MS) continue;
    evicted.push(template);
    total -= template.bytes;
  }
  return evicted;
}

function keysInUse(): Set<string> {
  return new Set(liveEntries().flatMap(({ templateKey }) => templateKey ?? []));
}

/** Keep the cache within its limit. To be called after it has grown. */
export function enforceLimit(): void {
  sweepStaging();
  const templates = listTemplates();
  const evictions = selectEvictions(templates, templatesLimitBytes(), keysInUse(), Date.now());
  for (const { key } of evictions) discardTemplate(key);
}

export interface RemovedTemplate {
  path: string;
  bytes: number;
}

/** Remove every template no machine runs from. They are made again when they are needed. */
export function collectTemplates(opts: { dryRun?: boolean } = {}): RemovedTemplate[] {
  const inUse = keysInUse();
  const unused = listTemplates().filter(({ key }) => !inUse.has(key));
  const left = sweepStaging(opts.dryRun).map((path) => ({ path, bytes: 0 }));
  if (!opts.dryRun) for (const { key } of unused) discardTemplate(key);
  return [...unused.map(({ directory, bytes }) => ({ path: directory, bytes })), ...left];
}

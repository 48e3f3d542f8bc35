/** Past this a fork starts a new short name instead of lengthening its source's. */
const MAX_FORK_NAME_LENGTH = 32;

function firstFree(prefix: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number++) {
    const name = `${prefix}${number}`;
    if (!taken.has(name)) return name;
  }
}

/** `m1`, `m2`, ...: the first that is free. Pure. */
export function nextMachineName(taken: ReadonlySet<string>): string {
  return firstFree("m", taken);
}

/** `m1.1`, `m1.2`, ... for forks of `m1`, so that a list sorted by name reads as a tree. Pure. */
export function nextForkName(source: string | undefined, taken: ReadonlySet<string>): string {
  if (source === undefined || source.length > MAX_FORK_NAME_LENGTH) return nextMachineName(taken);
  return firstFree(`${source}.`, taken);
}

import type { RegistryEntry } from "../registry/index.ts";

type Member = Pick<RegistryEntry, "pid" | "parentPid" | "forkedAt">;

/** Longer chains are no families but rings. */
const MOST_GENERATIONS = 10_000;

/** The pids a machine comes from, itself first, each with the moment its descendant left it. */
function ancestry(start: Member, find: (pid: number) => Member | undefined): Map<number, number> {
  const left = new Map<number, number>([[start.pid, Number.POSITIVE_INFINITY]]);
  let member: Member | undefined = start;
  while (member?.parentPid !== undefined && left.size < MOST_GENERATIONS) {
    if (left.has(member.parentPid) || member.forkedAt === undefined) break;
    left.set(member.parentPid, member.forkedAt);
    member = find(member.parentPid);
  }
  return left;
}

/** The last moment two machines had in common (ms since the epoch); undefined when they are not known to be related. */
export function commonMoment(
  a: Member,
  b: Member,
  find: (pid: number) => Member | undefined,
): number | undefined {
  const others = ancestry(b, find);
  for (const [pid, left] of ancestry(a, find)) {
    const otherLeft = others.get(pid);
    if (otherLeft === undefined) continue;
    const moment = Math.min(left, otherLeft);
    return Number.isFinite(moment) ? moment : undefined;
  }
  return undefined;
}

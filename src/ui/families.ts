import type { MachineInfo } from "../runtime/host/host.ts";

/** Families of forks by machine id: machines of one number have a common ancestor. */
export type Families = Readonly<Record<string, number>>;

/**
 * The family of every machine. A machine keeps its family after its ancestors have ended, and forks
 * of one ended machine stay together; new families get the lowest free number.
 */
export function familiesOf(machines: readonly MachineInfo[], before: Families): Families {
  const families: Record<string, number> = {};
  const used = new Set<number>();
  const ofParent = new Map<number, number>();
  const oldestFirst = machines.toSorted((a, b) => a.startedAt - b.startedAt || a.pid - b.pid);
  for (const { id } of oldestFirst) if (before[id] !== undefined) used.add(before[id]);
  for (const machine of oldestFirst) {
    const { id, pid, parentPid } = machine;
    const family =
      before[id] ?? (parentPid === undefined ? undefined : ofParent.get(parentPid)) ?? lowest(used);
    families[id] = family;
    used.add(family);
    ofParent.set(pid, family);
    if (parentPid !== undefined && !ofParent.has(parentPid)) ofParent.set(parentPid, family);
  }
  return families;
}

function lowest(used: ReadonlySet<number>): number {
  let number = 0;
  while (used.has(number)) number++;
  return number;
}

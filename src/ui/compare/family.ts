import type { MachineInfo } from "../../runtime/host/host.ts";

/** More side by side are too narrow to read. */
export const mostCompared = 4;

/** Everybody who is joined with a machine by forks, whatever their number; a ring ends by itself. */
function wholeFamily(machines: readonly MachineInfo[], self: MachineInfo): Set<MachineInfo> {
  const family = new Set([self]);
  for (const member of family) {
    for (const other of machines) {
      if (other.parentPid === member.pid || other.pid === member.parentPid) family.add(other);
    }
  }
  return family;
}

/**
 * A machine and its nearest relatives, in the order of `machines`: its forks first, then where it comes
 * from, then the other forks of that one, then the rest of the family.
 */
export function nearestFamily(machines: readonly MachineInfo[], id: string): MachineInfo[] {
  const self = machines.find((machine) => machine.id === id);
  if (!self) return [];
  const children = machines.filter(({ parentPid }) => parentPid === self.pid);
  const parent = machines.filter(({ pid }) => pid === self.parentPid);
  const siblings = machines.filter(
    (machine) =>
      machine !== self && self.parentPid !== undefined && machine.parentPid === self.parentPid,
  );
  const rest = wholeFamily(machines, self);
  const order = new Set([self, ...children, ...parent, ...siblings, ...rest]);
  const nearest = new Set([...order].slice(0, mostCompared));
  return machines.filter((machine) => nearest.has(machine));
}

import type { MachineInfo } from "../runtime/host/host.ts";

export interface TreeRow {
  machine: MachineInfo;
  /** Lines that lead to it from its parent, empty for a root. */
  branch: string;
}

/**
 * Machines with every fork under the machine it was forked from, oldest first among equals. A pid
 * can be reused, so a parent counts only when it is older than its child.
 */
export function machineTree(machines: readonly MachineInfo[]): TreeRow[] {
  const byPid = new Map(machines.map((machine) => [machine.pid, machine]));
  const children = new Map<number | undefined, MachineInfo[]>();
  for (const machine of machines) {
    const parent = machine.parentPid === undefined ? undefined : byPid.get(machine.parentPid);
    const known = parent && parent !== machine && isOlder(parent, machine) ? parent.pid : undefined;
    const siblings = children.get(known);
    if (siblings) siblings.push(machine);
    else children.set(known, [machine]);
  }
  for (const siblings of children.values()) siblings.sort((a, b) => (isOlder(a, b) ? -1 : 1));
  const rows: TreeRow[] = [];
  const visit = (machine: MachineInfo, lead: string, branch: string): void => {
    rows.push({ machine, branch });
    const below = children.get(machine.pid) ?? [];
    below.forEach((child, index) => {
      const last = index === below.length - 1;
      visit(child, lead + (last ? "  " : "│ "), lead + (last ? "└ " : "├ "));
    });
  };
  for (const root of children.get(undefined) ?? []) visit(root, "", "");
  return rows;
}

function isOlder(a: MachineInfo, b: MachineInfo): boolean {
  return a.startedAt < b.startedAt || (a.startedAt === b.startedAt && a.pid < b.pid);
}

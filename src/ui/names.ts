import type { MachineInfo } from "../runtime/host/host.ts";

/** What the user calls a machine. */
export function machineName(machine: Pick<MachineInfo, "id" | "name">): string {
  return machine.name ?? `#${machine.id}`;
}

/** The first of m1, m2 ... that is free. */
export function newMachineName(taken: ReadonlySet<string>): string {
  return firstFree("m", 1, taken);
}

/** A fork is called after its source, numbered: web, web-2, web-3. */
export function forkName(source: string | undefined, taken: ReadonlySet<string>): string {
  if (source === undefined) return newMachineName(taken);
  return firstFree(`${source.replace(/-\d{1,6}$/, "")}-`, 2, taken);
}

function firstFree(stem: string, from: number, taken: ReadonlySet<string>): string {
  let number = from;
  while (taken.has(`${stem}${number}`)) number++;
  return `${stem}${number}`;
}

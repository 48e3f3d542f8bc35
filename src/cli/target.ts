import { RegistryError } from "../runtime/errors.ts";
import type { Host, MachineInfo } from "../runtime/host/host.ts";
import { printable } from "../runtime/printable.ts";
import { machineName as rawName } from "../ui/names.ts";
import { nearest } from "./nearest.ts";

/** What the user calls a machine, for their terminal. */
export function machineName(machine: Pick<MachineInfo, "id" | "name">): string {
  return printable(rawName(machine));
}

/** The live machine a user means: a name first, as a name may look like a number, then a pid. */
export function findTarget(machines: MachineInfo[], word: string): MachineInfo {
  const found =
    machines.find(({ name }) => name === word) ?? machines.find(({ pid }) => String(pid) === word);
  if (found) return found;
  const meant = nearest(
    word,
    machines.flatMap(({ name }) => name ?? []),
  );
  throw new RegistryError(
    "REGISTRY_VM_NOT_FOUND",
    `no machine "${printable(word)}" is running${meant ? `; did you mean ${printable(meant)}?` : ""}`,
  );
}

export async function resolveTarget(host: Host, word: string): Promise<MachineInfo> {
  return findTarget(await host.list(), word);
}

import type { MachineInfo } from "../runtime/host/host.ts";
import type { Context } from "./command.ts";
import { printLine } from "./output.ts";
import { machineName } from "./target.ts";

/** Of copies: a new machine is made with what it is given. */
export const memoryFlag = {
  type: "number",
  shortFlag: "m",
  placeholder: "MiB",
  description: "memory the copy may use, less than its source's; more changes nothing",
} as const;

/** What of `--memory` could not be had. */
export function printMemoryNote(
  { stderr }: Context,
  machine: MachineInfo,
  wanted: number | undefined,
): void {
  const { memoryMib: has } = machine;
  if (wanted === undefined || has === undefined || has === wanted) return;
  const why = has < wanted ? "as its source" : "so far; what its programs do not use goes";
  printLine(stderr, `${machineName(machine)} has ${has} MiB of memory, not ${wanted}: ${why}`);
}

import type { MachineInfo } from "../runtime/host/host.ts";
import { formatAge } from "../ui/format.ts";
import { machineName } from "../ui/names.ts";

/** What has become of the machines since the last look, a line for each change. */
export function changeLines(before: readonly MachineInfo[], now: readonly MachineInfo[]): string[] {
  const was = new Map(before.map((machine) => [machine.id, machine]));
  const is = new Set(now.map(({ id }) => id));
  const gone = before.filter(({ id }) => !is.has(id));
  return [
    ...now.flatMap((machine) => changesOf(was.get(machine.id), machine)),
    ...gone.map((machine) => `${machineName(machine)} has ended`),
  ];
}

function changesOf(before: MachineInfo | undefined, now: MachineInfo): string[] {
  const name = machineName(now);
  if (!before) {
    const source = now.parentName === undefined ? "" : `, a fork of ${now.parentName}`;
    return [`${name} is there${source}${now.state === "running" ? "" : `, ${now.state}`}`];
  }
  const lines: string[] = [];
  if (machineName(before) !== name) lines.push(`${machineName(before)} is now called ${name}`);
  if (before.state !== now.state) lines.push(`${name} is ${now.state}`);
  return lines;
}

/** A machine as `/ls` tells it. */
export function machineLine(machine: MachineInfo, now: number): string {
  return `${machineName(machine)}, ${machine.state}, ${formatAge(now - machine.startedAt)}`;
}

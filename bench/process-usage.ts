import { readFileSync } from "node:fs";

/** Kernel clock ticks a second; fixed for programs on Linux. */
const TICKS = 100;

/** Seconds of processor time these processes have taken. */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return sum + (Number(fields[11]) + Number(fields[12])) / TICKS;
  }, 0);
}

/** MiB of memory these processes hold, what they share with others in proportion. */
export function memoryMib(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
    return sum + Number(/^Pss: +(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024;
  }, 0);
}

import { readFileSync } from "node:fs";

export interface Progress {
  read: number;
  written: number;
}

/** Bytes a process has read and written since it began. */
export function progress(pid: number): Progress {
  const io = readFileSync(`/proc/${pid}/io`, "utf8");
  const number = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, "m").exec(io)?.[1]);
  return { read: number("rchar"), written: number("wchar") };
}

/** It waits for something: it neither runs nor would run if a processor were free. */
export function sleeps(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2)[0] === "S";
}

import { readdirSync, readFileSync } from "node:fs";

/** Direct children of this process, which is where a machine in the making hangs. */
function childPids(): number[] {
  try {
    return readdirSync("/proc/self/task").flatMap((task) =>
      readFileSync(`/proc/self/task/${task}/children`, "utf8")
        .split(" ")
        .filter(Boolean)
        .map(Number),
    );
  } catch {
    return [];
  }
}

/** Ends what machines are being made of; who makes them then fails and cleans up. */
export function endChildren(except: ReadonlySet<number> = new Set()): void {
  for (const pid of childPids()) {
    if (except.has(pid)) continue;
    try {
      process.kill(pid, "SIGTERM");
    } catch {
      // It has just ended by itself.
    }
  }
}

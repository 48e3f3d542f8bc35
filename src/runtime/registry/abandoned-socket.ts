import { lstatSync, readFileSync } from "node:fs";
import { isAbsolute } from "node:path";

/** What sockets of this host are bound to, as far as the kernel lists them. */
function boundPaths(): string[] {
  const lines = readFileSync("/proc/net/unix", "utf8").split("\n").slice(1);
  return lines.flatMap((line) => line.match(/^(?:\S+\s+){7}(.+)$/)?.[1] ?? []);
}

/** Whether this socket file was left by a process that has ended: another one may have bound the path since. */
export function isAbandonedSocket(path: string): boolean {
  try {
    return (
      lstatSync(path).isSocket() &&
      !boundPaths().some((bound) => bound === path || (!isAbsolute(bound) && path.endsWith(bound)))
    );
  } catch {
    return false; // It is gone, or nobody can tell.
  }
}

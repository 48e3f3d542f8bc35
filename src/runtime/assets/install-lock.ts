import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Run `work` while no other installation works in this directory. The lock is flock(2), held by a
 * child whose standard input is ours: the kernel frees it however this process ends.
 */
export async function withInstallLock<T>(
  directory: string,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(directory, { recursive: true });
  const holder = spawn("flock", [join(directory, ".lock"), "sh", "-c", "echo held; exec cat >&2"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  holder.stdin.on("error", () => {});
  const ended = new Promise<void>((resolve) => holder.once("close", () => resolve()));
  const waiting = setTimeout(onWait, 500);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once("data", () => resolve());
      holder.once("error", (error) =>
        reject(new Error(`could not lock ${directory}: ${error.message} (flock is in util-linux)`)),
      );
      holder.once("close", () => reject(new Error(`could not lock ${directory}`)));
    });
    clearTimeout(waiting);
    return await work();
  } finally {
    clearTimeout(waiting);
    holder.stdin.end();
    if (holder.pid) await ended;
  }
}

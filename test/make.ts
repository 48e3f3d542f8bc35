import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { packageRoot } from "../src/runtime/package-root.ts";

/**
 * Build targets of a native directory. Test files run beside each other: one must not start a program that the
 * other is still linking.
 */
export function make(directory: "archive" | "guest" | "vmm", ...targets: string[]): void {
  const path = join(packageRoot(), directory);
  const lock = join(path, "Makefile");
  execFileSync("flock", [lock, "make", "-s", "-C", path, ...targets], { stdio: "pipe" });
}

import { execFileSync } from "node:child_process";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach } from "vitest";
import { Machine, scratchDirectory } from "./machine.ts";

/**
 * For a whole test file: a scratch directory, removed at the end, and machines. Those handed to `keep` are ended by
 * `quitAll`, which also runs after every test.
 */
export function useMachines() {
  const scratch = scratchDirectory();
  const machines: Machine[] = [];
  const keep = (machine: Machine): Machine => {
    machines.push(machine);
    return machine;
  };
  const quitAll = async () => {
    await Promise.all(machines.splice(0).map((machine) => machine.quit()));
  };
  afterEach(quitAll);
  afterAll(() => scratch.remove());
  return { scratch, keep, quitAll };
}

/** Boots a machine, has it run `command`, and saves it for others to start from: returns where. */
export async function saveBooted(
  directory: string,
  initrd: string,
  command: string,
  env: Record<string, string> = {},
): Promise<string> {
  const machine = Machine.boot(directory, initrd, env);
  try {
    await machine.run(command);
    return machine.save(join(directory, "saved"));
  } finally {
    await machine.quit();
  }
}

/** An empty ext4 file system of so many MiB. */
export function makeFileSystem(image: string, mib: number, ...options: string[]): void {
  writeFileSync(image, "");
  truncateSync(image, mib << 20);
  execFileSync("/sbin/mke2fs", ["-q", "-t", "ext4", ...options, image]);
}

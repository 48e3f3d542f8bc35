import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

export interface Scratch {
  /** A fresh directory for each test; the registry lives in `<dir>/vms`. */
  dir: string;
  /** A process that waits to be killed. */
  sleeper(): ChildProcess & { pid: number };
  /** The pid of a process that has ended. */
  deadPid(): Promise<number>;
}

/** A registry of its own for every test of a file, and no process left after any of them. */
export function useScratchRegistry(): Scratch {
  const children: ChildProcess[] = [];
  const scratch: Scratch = {
    dir: "",
    sleeper() {
      const child = spawn("/bin/sleep", ["600"], { stdio: "ignore" });
      children.push(child);
      return child as ChildProcess & { pid: number };
    },
    async deadPid() {
      const child = scratch.sleeper();
      await killed(child);
      return child.pid;
    },
  };
  beforeEach(() => {
    scratch.dir = realpathSync(mkdtempSync(join(tmpdir(), "machinen-registry-")));
    process.env.MACHINEN_REGISTRY_DIR = join(scratch.dir, "vms");
  });
  afterEach(async () => {
    await Promise.all(children.splice(0).map(killed));
    delete process.env.MACHINEN_REGISTRY_DIR;
    rmSync(scratch.dir, { recursive: true, force: true });
  });
  return scratch;
}

export function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

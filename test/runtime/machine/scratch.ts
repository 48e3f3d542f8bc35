import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Scratch {
  path: string;
  /** What is left of run directories. */
  runDirs(): string[];
  remove(): void;
}

/** A private registry, run root and log directory for this test file; its processes inherit them. */
export function useScratch(): Scratch {
  const path = mkdtempSync(join(tmpdir(), "mn-test-"));
  const runtime = join(path, "run");
  mkdirSync(runtime, { mode: 0o700 });
  process.env.MACHINEN_REGISTRY_DIR = join(path, "vms");
  process.env.MACHINEN_DETACHED_LOG_DIR = join(path, "logs");
  process.env.MACHINEN_SNAPSHOT_DIR = join(path, "snapshots");
  process.env.XDG_RUNTIME_DIR = runtime;
  return {
    path,
    runDirs: () =>
      readdirSync(runtime).flatMap((root) =>
        readdirSync(join(runtime, root)).map((name) => join(runtime, root, name)),
      ),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** The error a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error & { code?: string };
  }
  throw new Error("expected a rejection");
}

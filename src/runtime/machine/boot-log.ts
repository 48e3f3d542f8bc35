import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** Directory of the consoles that detached boots printed. `MACHINEN_DETACHED_LOG_DIR` overrides it. */
export function detachedLogRoot(): string {
  const override = process.env.MACHINEN_DETACHED_LOG_DIR;
  return override ? resolve(override) : join(homedir(), ".machinen", "logs");
}

/** Where the boot console of the machine with this pid is kept. */
export function bootSnapshotPath(pid: number): string {
  return join(detachedLogRoot(), `${pid}.boot.log`);
}

/** Keep a boot console, whole or not at all. False when it could not be written: that must not fail a boot. */
export function writeBootSnapshot(path: string, contents: string): boolean {
  const staging = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(staging, contents, { mode: 0o600 });
    renameSync(staging, path);
    return true;
  } catch {
    discard(staging);
    return false;
  }
}

/** A path that leads through a file is an error even where a missing file is none. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}

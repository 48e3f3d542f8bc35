import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/** Where running UIs listen: a directory nobody else may look into. */
export function remoteDirectory(): string {
  return join(process.env.XDG_RUNTIME_DIR || tmpdir(), `machinen-tui-${userInfo().uid}`);
}

/** The same, made when it is missing. @throws {Error} when another user prepared it */
export function ensureRemoteDirectory(): string {
  const directory = remoteDirectory();
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const stat = lstatSync(directory);
  if (!stat.isDirectory() || stat.uid !== userInfo().uid || (stat.mode & 0o077) !== 0) {
    throw new Error(`${directory} must be a directory of this user with mode 0700`);
  }
  return directory;
}

export function remoteSocket(pid: number): string {
  return join(remoteDirectory(), `${pid}.sock`);
}

/** Pids of UIs that listen, or that were killed while they did. */
export function remotePids(): number[] {
  let names: string[];
  try {
    names = readdirSync(remoteDirectory());
  } catch {
    return [];
  }
  return names.flatMap((name) => /^(\d+)\.sock$/.exec(name)?.[1] ?? []).map(Number);
}

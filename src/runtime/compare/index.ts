import { RegistryError } from "../errors.ts";
import { type RegistryEntry, readEntry } from "../registry/index.ts";
import { compareFiles, suspects } from "./compare-files.ts";
import {
  lookAtContents,
  lookAtFiles,
  lookAtProcesses,
  lookAtSessions,
  lookInto,
} from "./guest-look.ts";
import { commonMoment } from "./lineage.ts";
import { compareProcesses } from "./processes.ts";
import { compareSessions } from "./sessions.ts";
import type { ComparedMachine, MachineDifference, Side } from "./types.ts";

export { type FilePatch, filePatch } from "./file-patch.ts";
export type {
  ComparedMachine,
  FileAspect,
  FileDifference,
  FileState,
  FileType,
  MachineDifference,
  ProcessDifference,
  SessionDifference,
  Side,
} from "./types.ts";

/** Everything a comparison needs of one machine. One look after the other: a guest has few processors. */
async function look(socketPath: string) {
  const processes = await lookAtProcesses(socketPath);
  const sessions = await lookAtSessions(socketPath);
  const files = await lookAtFiles(socketPath);
  return { processes, sessions, ...files };
}

/** Of files that may be the same, those that are not, or that cannot be read. */
async function differentContents(a: string, b: string, paths: string[]): Promise<Set<string>> {
  if (paths.length === 0) return new Set();
  const [left, right] = await Promise.all([lookAtContents(a, paths), lookAtContents(b, paths)]);
  return new Set(paths.filter((_, i) => left[i] === undefined || left[i] !== right[i]));
}

function named({ pid, name }: RegistryEntry): ComparedMachine {
  return { pid, ...(name === undefined ? {} : { name }) };
}

/**
 * How two running machines differ: files (of every file system but those the kernel makes up and live
 * mounts), processes, and their sessions' environment and last exit status. Forks of one machine are told
 * apart by what was touched since: untouched files are not read.
 *
 * @throws {ExecError} EXEC_AGENT_UNAVAILABLE, EXEC_PROTOCOL, EXEC_NONZERO_EXIT
 */
export async function compareMachines(
  a: RegistryEntry,
  b: RegistryEntry,
): Promise<MachineDifference> {
  const since = commonMoment(a, b, (pid) => readEntry(pid) ?? undefined);
  const [left, right] = await Promise.all([look(a.socketPath), look(b.socketPath)]);
  const paths = suspects(left.files, right.files);
  const contents = await differentContents(a.socketPath, b.socketPath, paths);
  const unread = (side: Side, list: string[]) => list.map((path) => ({ side, path }));
  return {
    a: named(a),
    b: named(b),
    ...(since === undefined ? {} : { since }),
    files: compareFiles(left.files, right.files, contents, since),
    unread: [...unread("a", left.unread), ...unread("b", right.unread)],
    processes: compareProcesses(left.processes, right.processes),
    sessions: compareSessions(left.sessions, right.sessions),
  };
}

function entryOf(pid: number): RegistryEntry {
  const entry = readEntry(pid);
  if (entry) return entry;
  throw new RegistryError("REGISTRY_VM_NOT_FOUND", `no machine with pid ${pid} is running`);
}

/**
 * `compareMachines` by the pids of their VMMs.
 *
 * @throws {RegistryError} REGISTRY_VM_NOT_FOUND
 * @throws {ExecError} as `compareMachines` does
 */
export async function compare(a: number, b: number): Promise<MachineDifference> {
  return compareMachines(entryOf(a), entryOf(b));
}

/** At most `limit` bytes of a regular file of a machine; undefined when it has no such file. */
export function readGuestFile(
  entry: RegistryEntry,
  path: string,
  limit: number,
): Promise<Buffer | undefined> {
  return lookInto(entry.socketPath, path, limit);
}

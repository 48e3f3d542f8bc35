import { FilesError } from "../errors.ts";
import { VsockFiles } from "../files/index.ts";
import type { RegistryEntry } from "../registry/index.ts";
import type { Machine } from "./vm-handle.ts";

/** @throws {FilesError} FILES_AGENT_UNAVAILABLE when it has none */
export function filesSocket(entry: RegistryEntry): string {
  if (entry.filesPath) return entry.filesPath;
  throw new FilesError(
    "FILES_AGENT_UNAVAILABLE",
    "this machine was started with a MACHINEN_VSOCK of its own, without guest port 1976",
  );
}

/** What a handle can do with its guest's files. */
export function guestFiles(entry: RegistryEntry): Pick<Machine, "push" | "pull"> {
  return {
    push: async (hostDir, guestPath, opts) =>
      VsockFiles.push(filesSocket(entry), hostDir, guestPath, opts),
    pull: async (guestPath, hostDir, opts) =>
      VsockFiles.pull(filesSocket(entry), guestPath, hostDir, opts),
  };
}

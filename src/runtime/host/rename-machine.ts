import { VsockExec } from "../exec/index.ts";
import { hostnameFor } from "../machine/hostname.ts";
import { claimName, type RegistryEntry, releaseName, updateEntry } from "../registry/index.ts";

const HOSTNAME_MS = 5000;

/**
 * The new name is the machine's before the record says so, and the old one until it does: whoever
 * looks meanwhile finds a name that leads to it.
 * @throws {RegistryError} REGISTRY_NAME_IN_USE
 * @throws {ParseError} PARSE_FLAG_MALFORMED
 */
export async function renameMachine(entry: RegistryEntry, name: string): Promise<void> {
  if (name === entry.name) return;
  const claim = claimName(name);
  try {
    claim.commit(entry.pid);
    updateEntry(entry.pid, { name, hostname: hostnameFor(name) });
  } finally {
    claim.release();
  }
  if (entry.name !== undefined) releaseName(entry.name, entry.pid);
  // A shell that runs shows the old one until its prompt is made anew.
  await VsockExec.run(entry.socketPath, `hostname ${hostnameFor(name)}`, {
    execTimeoutMs: HOSTNAME_MS,
  });
}

import {
  type RegistryEntry,
  readEntry,
  removeEntry,
  removeFilesOf,
  validatePid,
} from "../registry/index.ts";
import {
  childrenOf,
  identify,
  type ProcessIdentity,
  signalProcess,
  waitUntilGone,
} from "./process-identity.ts";

/** Dying takes the kernel a moment when much memory is to be freed. */
const DEATH_MS = 10_000;

/** The machine's own process, unless its pid belongs to somebody else by now. */
export function processOf(entry: RegistryEntry): ProcessIdentity | undefined {
  return validatePid(entry.pid, entry) === "alive" ? identify(entry.pid) : undefined;
}

/** Remove what a machine that has ended left on this host. */
export function forgetMachine(entry: RegistryEntry): void {
  removeFilesOf(entry);
  // The pid may have been given to a new machine already.
  if (readEntry(entry.pid)?.startedAt === entry.startedAt) removeEntry(entry.pid);
}

type EndOf = (entry: RegistryEntry) => Promise<void>;
const companions: EndOf[] = [];

/** Have `end` called for every machine this process kills: who holds processes for one ends them there. */
export function endWithMachine(end: EndOf): void {
  companions.push(end);
}

/** SIGKILL to the VMM; resolves when it, its QEMU, what this process held ready for it and their files are gone. */
export async function killMachine(entry: RegistryEntry): Promise<void> {
  const vmm = processOf(entry);
  if (vmm) {
    const children = childrenOf(entry.pid);
    signalProcess(vmm, "SIGKILL");
    await waitUntilGone([vmm], DEATH_MS);
    // The kernel ends a QEMU whose VMM dies; what some other program started ends here.
    for (const child of children) signalProcess(child, "SIGKILL");
    await waitUntilGone(children, DEATH_MS);
  }
  await Promise.all(companions.map((end) => end(entry)));
  forgetMachine(entry);
}

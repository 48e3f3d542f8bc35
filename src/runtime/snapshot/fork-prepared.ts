import { isMachinenError } from "../errors.ts";
import { PhaseTimer } from "../log.ts";
import { hostnameFor } from "../machine/hostname.ts";
import { registerMachine, type StartedMachine } from "../machine/start-machine.ts";
import type { Machine } from "../machine/vm-handle.ts";
import { liveMountRecord } from "../mounts/live-mounts.ts";
import { claimName, type RegistryEntry } from "../registry/index.ts";
import { takePrepared } from "./fork-pool.ts";
import type { PreparedFork } from "./prepared-fork.ts";
import { autoName, handOver, type ResumeTerms, resumeWords } from "./resume.ts";

function register(fork: PreparedFork, terms: ResumeTerms): StartedMachine {
  const { name, sourceName } = terms;
  const claim = name === undefined ? undefined : claimName(name);
  try {
    const hostname = hostnameFor(name ?? autoName(sourceName, fork.child.pid));
    return registerMachine(fork.child, fork.env, {
      binary: fork.binary,
      runDir: fork.runDir,
      name: claim ? { claim, name: name! } : (pid) => autoName(sourceName, pid),
      record: { ...terms.record, ...liveMountRecord(terms.liveMounts), hostname },
      onLog: terms.onLog,
    });
  } catch (error) {
    fork.drop();
    throw error;
  } finally {
    claim?.release();
  }
}

/**
 * A fork by a VMM that has waited for it; undefined when there is none, or when it failed: a fresh one then
 * finds out whether the machine is to blame.
 */
export async function forkPrepared(
  source: RegistryEntry,
  terms: ResumeTerms,
): Promise<Machine | undefined> {
  const fork = await takePrepared(source);
  if (fork === undefined) return undefined;
  const phases = new PhaseTimer("restore", terms.onLog);
  try {
    const started = register(fork, terms);
    fork.go(resumeWords(started.entry.hostname, terms));
    phases.mark("go");
    const handle = await handOver(started, terms, true);
    phases.mark("agent");
    return handle;
  } catch (error) {
    if (
      isMachinenError(error, "REGISTRY_NAME_IN_USE") ||
      isMachinenError(error, "PARSE_FLAG_MALFORMED")
    )
      throw error;
    return undefined;
  } finally {
    phases.flush();
  }
}

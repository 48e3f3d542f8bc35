import { realpathSync } from "node:fs";
import { canSignal, readProcess } from "./process.ts";

/** Whether a recorded process still is the one that was recorded. */
export type PidStatus = "alive" | "dead" | "recycled";

/** Recorded and actual start may differ by this much: the entry is written a moment after the spawn. */
const START_SKEW_MS = 5000;

export interface ExpectedProcess {
  vmmExe?: string;
  /** ms since the epoch */
  startedAt?: number;
  /** `ProcessFacts.identity` at the time of recording: exact, so it decides alone when present. */
  processIdentity?: string;
}

/**
 * `alive`: it runs and start time and executable match (as far as they were recorded and can be
 * read); `dead`: it cannot be signalled, or is a zombie; `recycled`: its pid is someone else's now.
 */
export function validatePid(pid: number, expected: ExpectedProcess): PidStatus {
  const actual = canSignal(pid) ? readProcess(pid) : undefined;
  if (actual === undefined) return "dead";
  const { processIdentity, startedAt, vmmExe } = expected;
  if (processIdentity !== undefined) {
    return actual.identity === processIdentity ? "alive" : "recycled";
  }
  if (startedAt !== undefined && Math.abs(actual.startedAt() - startedAt) > START_SKEW_MS) {
    return "recycled";
  }
  const exe = vmmExe === undefined ? undefined : actual.exe();
  if (vmmExe !== undefined && exe !== undefined && exe !== vmmExe && exe !== resolved(vmmExe)) {
    return "recycled";
  }
  return "alive";
}

/** The kernel names executables without symbolic links. */
function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import { hasNoEnd } from "../durations.ts";
import { SnapshotError } from "../errors.ts";

/** How long a snapshot may take, from now. */
export interface TimeLimit {
  /** Aborted when the time is up, or `clear` was called. */
  signal: AbortSignal;
  /** What `work` gives. @throws {SnapshotError} SNAPSHOT_TIMEOUT when the time is up first */
  within<T>(work: Promise<T>): Promise<T>;
  clear(): void;
}

/** `goesOn`: whether the machine does when the time is up; it is then worth another try. */
export function timeLimit(timeoutMs: number, goesOn: boolean): TimeLimit {
  const over = new AbortController();
  if (hasNoEnd(timeoutMs)) {
    return { signal: over.signal, within: (work) => work, clear: () => over.abort() };
  }
  const timeout = sleep(timeoutMs, undefined, { signal: over.signal }).then(() => {
    over.abort();
    const fate = goesOn ? "it goes on" : "it was killed (leaveRunning: true keeps it)";
    throw new SnapshotError(
      "SNAPSHOT_TIMEOUT",
      `the machine was not saved within ${timeoutMs} ms; ${fate}`,
      { retryable: goesOn },
    );
  });
  timeout.catch(() => {});
  return {
    signal: over.signal,
    within: (work) => {
      work.catch(() => {});
      return Promise.race([work, timeout]);
    },
    clear: () => over.abort(),
  };
}

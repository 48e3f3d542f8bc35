/** Node fires a timer that is set further ahead than this at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Whether a limit in ms is none: null, infinite, or beyond what a timer can wait. */
export function hasNoEnd(ms: number | null): ms is null {
  return ms === null || !(ms <= LONGEST_TIMER_MS);
}

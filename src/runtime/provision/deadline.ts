import { hasNoEnd } from "../durations.ts";
import { ErrorCode, ProvisionError } from "../errors.ts";

/** Ends when the caller says so, or when the time is up. */
export function deadline(
  timeoutMs: number,
  caller?: AbortSignal,
): { signal: AbortSignal; clear(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort(caller?.reason);
  if (caller?.aborted) abort();
  caller?.addEventListener("abort", abort, { once: true });
  const timer = hasNoEnd(timeoutMs)
    ? undefined
    : setTimeout(
        () =>
          controller.abort(
            new ProvisionError(
              ErrorCode.PROVISION_INSTALL_HOOK_FAILED,
              `the build did not finish within ${timeoutMs} ms (timeoutMs)`,
            ),
          ),
        timeoutMs,
      );
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      caller?.removeEventListener("abort", abort);
    },
  };
}

/** Rejects with the signal's reason once it is aborted; what `work` does then is nobody's concern. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => {});
  return new Promise((settle, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(settle, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

import { connect, type Socket } from "node:net";
import { hasNoEnd, LONGEST_TIMER_MS } from "../durations.ts";

export interface DialOptions {
  /** How long to go on until a connection is made and, with `request`, answered. */
  timeoutMs: number;
  /** Longest pause between two attempts; without it there is one attempt. */
  retryMs?: number;
  signal?: AbortSignal;
}

/** No attempt succeeded in time; `cause` is why the last one failed. */
export class DialError extends Error {}

/** The first pause between attempts: a booting guest is asked again soon, latency is the product. */
const FIRST_PAUSE_MS = 5;

/**
 * Connect to `path`, send `request` and wait for the first byte of the answer. Until then nothing
 * has been started in the guest, so a refused, reset or closed connection is simply tried again.
 * The socket comes paused and has the whole answer still to give.
 */
export function dialAndAsk(path: string, request: Buffer, opts: DialOptions): Promise<Socket> {
  return repeat(opts, (signal) => ask(path, request, signal));
}

/** Connect to `path`, which need not exist yet. */
export function dial(path: string, opts: DialOptions): Promise<Socket> {
  return repeat(opts, (signal) => open(path, signal));
}

async function repeat<T>(
  opts: DialOptions,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const abort = () => stop.abort(opts.signal?.reason);
  if (opts.signal?.aborted) abort();
  opts.signal?.addEventListener("abort", abort, { once: true });
  const timer = hasNoEnd(opts.timeoutMs)
    ? undefined
    : setTimeout(
        () => stop.abort(new Error(`no answer within ${opts.timeoutMs} ms`)),
        opts.timeoutMs,
      );
  let lastFailure: unknown;
  try {
    for (let pause = FIRST_PAUSE_MS; ; pause *= 2) {
      try {
        return await attempt(stop.signal);
      } catch (error) {
        if (!stop.signal.aborted) lastFailure = error;
        if (stop.signal.aborted || opts.retryMs === undefined || isHopeless(error)) break;
      }
      await sleep(Math.min(pause, opts.retryMs), stop.signal);
      if (stop.signal.aborted) break;
    }
  } finally {
    clearTimeout(timer);
    opts.signal?.removeEventListener("abort", abort);
  }
  throw failure(stop.signal.reason, lastFailure);
}

/** That time is up says little: say also why the last attempt before that failed. */
function failure(ended: unknown, lastFailure: unknown): DialError {
  const messages = [ended, lastFailure].flatMap((error) =>
    error instanceof Error ? [error.message] : [],
  );
  return new DialError(messages.join("; last: "), { cause: lastFailure ?? ended });
}

function ask(path: string, request: Buffer, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const fail = (error: Error) => {
      release();
      socket.destroy();
      reject(error);
    };
    const onAbort = () => fail(signal.reason);
    const onClose = () => fail(new Error("the connection was closed without an answer"));
    const onData = (first: Buffer) => {
      socket.pause();
      release();
      socket.unshift(first);
      resolve(socket);
    };
    const release = () => {
      signal.removeEventListener("abort", onAbort);
      socket.off("data", onData).off("end", onClose).off("close", onClose).off("error", fail);
      // A late error without a listener would end the whole program.
      socket.on("error", ignore);
    };
    socket.on("data", onData).on("end", onClose).on("close", onClose).on("error", fail);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    if (!socket.destroyed) socket.write(request);
  });
}

function open(path: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const finish = (error?: Error) => {
      signal.removeEventListener("abort", onAbort);
      socket.off("connect", onConnect).off("error", finish);
      socket.on("error", ignore);
      if (error === undefined) resolve(socket);
      else {
        socket.destroy();
        reject(error);
      }
    };
    const onAbort = () => finish(signal.reason);
    const onConnect = () => finish();
    socket.once("connect", onConnect).once("error", finish);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Trying again gives nobody a permission they lack, and shortens no path. */
function isHopeless(error: unknown): boolean {
  return ["EACCES", "EPERM", "EINVAL", "ENAMETOOLONG"].includes(
    (error as NodeJS.ErrnoException).code ?? "",
  );
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER_MS));
    signal.addEventListener("abort", done, { once: true });
  });
}

function ignore(): void {}

import { hasNoEnd } from "../durations.ts";
import { ExecError } from "../errors.ts";
import { Tail } from "../tail.ts";
import { ask, type Ending, readFrames } from "./conversation.ts";
import { Listeners } from "./listeners.ts";
import { startPty } from "./pty.ts";
import { execRequest } from "./requests.ts";

export interface VsockExecOptions {
  /** How long the agent may take to answer; until then failing connections are retried. Default 30 s. */
  connectTimeoutMs?: number;
  /** Longest pause between two attempts; the first ones follow faster. Default 250. */
  retryMs?: number;
  /** How long the command may run. Default 5 minutes; `null` or `Infinity`: for ever. */
  execTimeoutMs?: number | null;
  /**
   * Called with standard output as it comes. The result then holds the last 16 MiB of it, not all. When it returns a
   * promise, that is waited for before the next call and before the end, and meanwhile the command is held back once
   * the buffers on the way are full; one that rejects ends the command as an exception does.
   */
  onStdout?: (chunk: Buffer) => unknown;
  /** The same for standard error. */
  onStderr?: (chunk: Buffer) => unknown;
}

/** What a command printed, whole (at most 512 MiB) unless it was streamed. */
export interface VsockExecResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

const CONNECT_TIMEOUT_MS = 30_000;
const RETRY_MS = 250;
const EXEC_TIMEOUT_MS = 5 * 60_000;

/** What is kept of output that the caller gets as it comes: enough to look at, whatever its length. */
const KEPT_BYTES = 16 << 20;

/** Sees all output without taking the place of the result. */
type Watcher = (kind: "stdout" | "stderr", chunk: Buffer) => void;

/**
 * Run a shell command in the guest to its end. A command that fails is a normal result.
 * It is started at most once: what is retried is only what happens before the agent's first byte, and the
 * agent refuses a command that it has started already.
 *
 * @throws {ExecError} EXEC_AGENT_UNAVAILABLE, EXEC_AGENT_TIMEOUT (both retryable), EXEC_PROTOCOL
 */
function run(udsPath: string, cmd: string, opts: VsockExecOptions = {}): Promise<VsockExecResult> {
  return runWatched(udsPath, cmd, opts);
}

/** `run()`, with somebody else listening. */
export async function runWatched(
  udsPath: string,
  cmd: string,
  opts: VsockExecOptions,
  watcher?: Watcher,
): Promise<VsockExecResult> {
  const socket = await ask(udsPath, execRequest(cmd), {
    timeoutMs: opts.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    retryMs: opts.retryMs ?? RETRY_MS,
  });
  const limit = opts.execTimeoutMs === undefined ? EXEC_TIMEOUT_MS : opts.execTimeoutMs;
  return new Promise((resolve, reject) => {
    const stdout = new Tail(opts.onStdout ? KEPT_BYTES : Number.POSITIVE_INFINITY);
    const stderr = new Tail(opts.onStderr ? KEPT_BYTES : Number.POSITIVE_INFINITY);
    let timer: NodeJS.Timeout | undefined;
    const finish = (ending: Ending) => {
      clearTimeout(timer);
      listeners.end();
      if ("error" in ending) {
        reject(ending.error);
        return;
      }
      try {
        resolve({ exitCode: ending.code, stdout: textOf(stdout), stderr: textOf(stderr) });
      } catch (error) {
        reject(error);
      }
    };
    // Closing makes the agent kill the command and all it started.
    const giveUp = (error: unknown) => {
      socket.destroy();
      finish({ error: error as Error });
    };
    const listeners = new Listeners(socket, giveUp);
    if (!hasNoEnd(limit)) {
      timer = setTimeout(() => {
        const message = `the command ran longer than ${limit} ms`;
        giveUp(new ExecError("EXEC_AGENT_TIMEOUT", message, { retryable: true }));
      }, limit);
    }
    readFrames(
      socket,
      {
        data(kind, bytes) {
          const [kept, name, listener] =
            kind === "E"
              ? ([stderr, "stderr", opts.onStderr] as const)
              : ([stdout, "stdout", opts.onStdout] as const);
          kept.push(bytes);
          watcher?.(name, bytes);
          if (listener) listeners.tell(listener, bytes);
        },
      },
      (ending) => {
        clearTimeout(timer);
        if ("error" in ending) finish(ending);
        else listeners.afterAll(() => finish(ending));
      },
    );
  });
}

/** Decoded in one go, so that no character is cut between two chunks. */
function textOf(output: Tail): string {
  try {
    return output.text();
  } catch (cause) {
    throw new ExecError("EXEC_PROTOCOL", "the command's output is too long for a string", {
      cause,
    });
  }
}

/** The guest's exec service behind the unix socket `udsPath`. */
export const VsockExec = { run, startPty } as const;

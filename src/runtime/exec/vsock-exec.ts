import { ExecError } from "../errors.ts";
import { ask, type Ending, readFrames } from "./conversation.ts";
import { hasNoEnd } from "./durations.ts";
import { startPty } from "./pty.ts";
import { execRequest } from "./requests.ts";

export interface VsockExecOptions {
  /** How long the agent may take to answer; until then failing connections are retried. Default 30 s. */
  connectTimeoutMs?: number;
  /** Longest pause between two attempts; the first ones follow faster. Default 250. */
  retryMs?: number;
  /** How long the command may run. Default 5 minutes; `null` or `Infinity`: for ever. */
  execTimeoutMs?: number | null;
  /** Called with the command's output as it comes. */
  onStdout?: (chunk: Buffer) => void;
  onStderr?: (chunk: Buffer) => void;
}

/** The whole output is kept in memory until the command ends, also when it is streamed. */
export interface VsockExecResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

const CONNECT_TIMEOUT_MS = 30_000;
const RETRY_MS = 250;
const EXEC_TIMEOUT_MS = 5 * 60_000;

/**
 * Run a shell command in the guest to its end. A command that fails is a normal result.
 * It is started at most once: what is retried is only what happens before the agent's first byte.
 *
 * @throws {ExecError} EXEC_AGENT_UNAVAILABLE, EXEC_AGENT_TIMEOUT (both retryable), EXEC_PROTOCOL
 */
async function run(
  udsPath: string,
  cmd: string,
  opts: VsockExecOptions = {},
): Promise<VsockExecResult> {
  const socket = await ask(udsPath, execRequest(cmd), {
    timeoutMs: opts.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    retryMs: opts.retryMs ?? RETRY_MS,
  });
  const limit = opts.execTimeoutMs === undefined ? EXEC_TIMEOUT_MS : opts.execTimeoutMs;
  return new Promise((resolve, reject) => {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let timer: NodeJS.Timeout | undefined;
    const finish = (ending: Ending) => {
      clearTimeout(timer);
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
    if (!hasNoEnd(limit)) {
      timer = setTimeout(() => {
        // Closing makes the agent kill the command and all it started.
        socket.destroy();
        finish({
          error: new ExecError("EXEC_AGENT_TIMEOUT", `the command ran longer than ${limit} ms`, {
            retryable: true,
          }),
        });
      }, limit);
    }
    readFrames(
      socket,
      {
        data(kind, bytes) {
          if (kind === "E") {
            stderr.push(bytes);
            opts.onStderr?.(bytes);
          } else {
            stdout.push(bytes);
            opts.onStdout?.(bytes);
          }
        },
      },
      finish,
    );
  });
}

/** Decoded in one go, so that no character is cut between two chunks. */
function textOf(chunks: Buffer[]): string {
  try {
    return (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString("utf8");
  } catch (cause) {
    throw new ExecError("EXEC_PROTOCOL", "the command's output is too long for a string", {
      cause,
    });
  }
}

/** The guest's exec service behind the unix socket `udsPath`. */
export const VsockExec = { run, startPty } as const;

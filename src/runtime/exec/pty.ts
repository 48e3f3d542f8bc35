import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { ExecError } from "../errors.ts";
import { ask, readFrames } from "./conversation.ts";
import { FrameInput } from "./frame-input.ts";
import { ptyRequest, resizeFrame, sessionRequest } from "./requests.ts";

export interface VsockExecPtyOptions {
  cols: number;
  rows: number;
  /** Where keystrokes come from, for example `process.stdin` in raw mode. */
  stdin: Readable;
  /** Where the PTY's output goes, for example `process.stdout`. */
  stdout: Writable;
  /** How long the agent may take to answer. It is asked once. Default 5000. */
  connectTimeoutMs?: number;
  /** Name of a session: joined when it is there, else started; it goes on after `cancel()`. */
  session?: string;
}

/** How a command on a PTY ended: 128 + signal when it was killed. */
export interface VsockExecPtyResult {
  exitCode: number;
}

export interface VsockExecPtyHandle {
  /** Resolves when the command ends; rejects when the connection fails or `cancel()` is called. */
  readonly result: Promise<VsockExecPtyResult>;
  resize(cols: number, rows: number): void;
  /** Disconnect: SIGHUP for the command, unless it has a session of its own. */
  cancel(): void;
}

const CONNECT_TIMEOUT_MS = 5000;

/** Run a command on a PTY in the guest, joined with two streams of the caller. */
export function startPty(
  udsPath: string,
  cmd: string,
  opts: VsockExecPtyOptions,
): VsockExecPtyHandle {
  const request =
    opts.session === undefined
      ? ptyRequest(cmd, opts.cols, opts.rows)
      : sessionRequest(opts.session, cmd, opts.cols, opts.rows);
  const cancelled = new AbortController();
  const answered = ask(udsPath, request, {
    timeoutMs: opts.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    signal: cancelled.signal,
  });
  let socket: Socket | undefined;
  const input = new FrameInput(answered);
  let pendingSize: [number, number] | undefined;

  const detachStdin = join(opts.stdin, input);
  const result = answered.then(
    (connection) =>
      new Promise<VsockExecPtyResult>((resolve, reject) => {
        const end = (error: Error) => {
          connection.destroy();
          reject(error);
        };
        if (cancelled.signal.aborted) {
          end(wasCancelled());
          return;
        }
        cancelled.signal.addEventListener("abort", () => end(wasCancelled()), { once: true });
        socket = connection;
        if (pendingSize) connection.write(resizeFrame(...pendingSize));
        const sink = outputTo(opts.stdout, connection);
        readFrames(connection, sink, (ending) => {
          if ("error" in ending) reject(ending.error);
          else resolve({ exitCode: ending.code });
        });
      }),
  );
  const settled = result.finally(() => {
    detachStdin();
    input.destroy();
  });
  // A caller that only cancels need not look at the result.
  settled.catch(() => {});

  return {
    result: settled,
    resize(cols, rows) {
      if (socket === undefined) pendingSize = [cols, rows];
      else if (!socket.destroyed) socket.write(resizeFrame(cols, rows));
    },
    cancel: () => cancelled.abort(wasCancelled()),
  };
}

function wasCancelled(): ExecError {
  return new ExecError("EXEC_PROTOCOL", "cancelled before the command ended");
}

/** Forward `stdin` from now on; the returned function stops and leaves the stream as it was. */
function join(stdin: Readable, input: Writable): () => void {
  const wasFlowing = stdin.readableFlowing === true;
  const onData = (chunk: Buffer | string) => {
    if (!input.destroyed && !input.write(chunk)) stdin.pause();
  };
  const onDrain = () => stdin.resume();
  stdin.on("data", onData);
  input.on("drain", onDrain);
  return () => {
    stdin.off("data", onData);
    input.off("drain", onDrain);
    // A stream that flows without a listener loses what is typed next.
    if (wasFlowing) stdin.resume();
    else stdin.pause();
  };
}

/** Write output to `stdout`; while it is full nothing is read from the guest. */
function outputTo(stdout: Writable, socket: Socket): { data(kind: string, bytes: Buffer): void } {
  let waiting = false;
  return {
    data(_kind, bytes) {
      if (stdout.write(bytes) || waiting) return;
      waiting = true;
      socket.pause();
      const go = () => {
        stdout.off("drain", go).off("close", go);
        waiting = false;
        socket.resume();
      };
      stdout.on("drain", go).on("close", go);
    },
  };
}

import type { Socket } from "node:net";
import { ExecError } from "../errors.ts";
import { DialError, type DialOptions, dialAndAsk } from "./dial.ts";
import { FrameParser, type FrameSink } from "./frame-parser.ts";

/** How the conversation with the agent ended. */
export type Ending = { code: number } | { error: Error };

/** Send a request to the exec service and wait until the agent answers. */
export async function ask(path: string, request: Buffer, opts: DialOptions): Promise<Socket> {
  try {
    return await dialAndAsk(path, request, opts);
  } catch (error) {
    if (opts.signal?.aborted) throw opts.signal.reason;
    if (!(error instanceof DialError)) throw error;
    throw new ExecError(
      "EXEC_AGENT_UNAVAILABLE",
      `the guest's agent is not there: ${error.message}`,
      {
        retryable: true,
        cause: error.cause,
      },
    );
  }
}

/**
 * Feed the frames of an answered connection to `sink` until it ends, then call `ended` once and close.
 * An exception of the sink ends it too: it is the caller's, and must reach the caller.
 */
export function readFrames(
  socket: Socket,
  sink: Omit<FrameSink, "exit" | "refused">,
  ended: (ending: Ending) => void,
): void {
  let over = false;
  const end = (ending: Ending) => {
    if (over) return;
    over = true;
    socket.off("data", onData);
    socket.destroy();
    ended(ending);
  };
  const parser = new FrameParser({
    started: (pid) => sink.started?.(pid),
    size: (cols, rows) => sink.size?.(cols, rows),
    data: (kind, bytes) => sink.data(kind, bytes),
    exit: (code) => end({ code }),
    refused: (message) =>
      end({ error: new ExecError("EXEC_PROTOCOL", `the guest refused: ${message}`) }),
  });
  const onData = (chunk: Buffer) => {
    try {
      parser.push(chunk);
    } catch (error) {
      end({ error: error as Error });
    }
  };
  const onLost = (cause?: unknown) =>
    end({
      error: new ExecError(
        "EXEC_PROTOCOL",
        "the connection to the guest was lost before the command ended",
        cause instanceof Error ? { cause } : {},
      ),
    });
  socket.on("data", onData).on("error", onLost);
  socket.on("end", () => onLost()).on("close", () => onLost());
  socket.resume();
}

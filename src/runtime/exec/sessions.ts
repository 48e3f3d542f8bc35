import { ExecError } from "../errors.ts";
import type { OpenSessionOptions, SessionHandle, SessionInfo } from "../host/host.ts";
import { printable } from "../printable.ts";
import { ask, readFrames } from "./conversation.ts";
import { killRequest, listRequest, sessionRequest } from "./requests.ts";
import { SessionClient } from "./session-client.ts";

/** A machine that a session is opened in is up: its agent answers soon or not at all. */
const PATIENCE = { timeoutMs: 10_000, retryMs: 250 };

/** Attach to the session `name`, creating it with `command` when there is none. */
export async function openSession(
  execSocketPath: string,
  opts: OpenSessionOptions & { name: string; command: string },
): Promise<SessionHandle> {
  const request = sessionRequest(opts.name, opts.command, opts.cols, opts.rows);
  const socket = await ask(execSocketPath, request, PATIENCE);
  return SessionClient.open(socket, opts.onReplay);
}

/** The sessions of the guest, in the agent's order. */
export async function listSessions(execSocketPath: string): Promise<SessionInfo[]> {
  const { output } = await simpleRequest(execSocketPath, listRequest());
  return output.split("\n").flatMap((line) => parseSession(line) ?? []);
}

/** End the session and everything on its terminal; false when there is none of that name. */
export async function killSession(execSocketPath: string, name: string): Promise<boolean> {
  const { code } = await simpleRequest(execSocketPath, killRequest(name));
  return code === 0;
}

export function parseSession(line: string): SessionInfo | undefined {
  const match = /^([A-Za-z0-9._-]{1,64})\t(\d{1,10})\t(\d{1,5})\t(\d{1,5})\t(\d{1,5})\t(.*)$/s.exec(
    line,
  );
  if (match === null) return undefined;
  const [pid, cols, rows, clients] = match.slice(2, 6).map(Number);
  return {
    name: match[1]!,
    pid: pid!,
    cols: cols!,
    rows: rows!,
    clients: clients!,
    command: printable(match[6]!),
  };
}

const MAX_ANSWER = 1 << 20;
const ANSWER_TIMEOUT_MS = 10_000;

/** A request that is answered with a little text and a code. */
async function simpleRequest(
  path: string,
  request: Buffer,
): Promise<{ code: number; output: string }> {
  const socket = await ask(path, request, PATIENCE);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const timer = setTimeout(() => {
      socket.destroy();
      reject(
        new ExecError("EXEC_AGENT_TIMEOUT", "the guest's agent began an answer and fell silent", {
          retryable: true,
        }),
      );
    }, ANSWER_TIMEOUT_MS);
    readFrames(
      socket,
      {
        data(_kind, bytes) {
          length += bytes.length;
          if (length > MAX_ANSWER) throw new ExecError("EXEC_PROTOCOL", "the answer has no end");
          parts.push(bytes);
        },
      },
      (ending) => {
        clearTimeout(timer);
        if ("error" in ending) reject(ending.error);
        else resolve({ code: ending.code, output: Buffer.concat(parts).toString("utf8") });
      },
    );
  });
}

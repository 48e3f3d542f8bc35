import { rmSync } from "node:fs";
import { connect } from "node:net";
import { remotePids, remoteSocket } from "./address.ts";
import type { RemoteAnswer } from "./server.ts";

/** No UI runs, or several do and none was chosen. */
export class RemoteError extends Error {
  readonly code: "TUI_NOT_RUNNING" | "TUI_AMBIGUOUS";

  constructor(code: RemoteError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Gives a running UI a command line; resolves to its answer once the command is done.
 * @param pid which UI; default: the only one that runs
 * @throws {RemoteError} TUI_NOT_RUNNING, TUI_AMBIGUOUS
 */
export async function askRunningUi(line: string, pid?: number): Promise<RemoteAnswer> {
  const running = pid === undefined ? await livePids() : [pid];
  if (running.length > 1) {
    const message = `several UIs are running: choose one with --pid (${running.join(", ")})`;
    throw new RemoteError("TUI_AMBIGUOUS", message);
  }
  const answer = running[0] === undefined ? undefined : await exchange(running[0], line);
  if (answer !== undefined) return answer;
  const which = pid === undefined ? "no UI is running" : `no UI with pid ${pid} is running`;
  throw new RemoteError("TUI_NOT_RUNNING", which);
}

/** Sockets that nobody answers were left by UIs that were killed. */
async function livePids(): Promise<number[]> {
  const live: number[] = [];
  for (const pid of remotePids()) {
    if (isAlive(pid)) live.push(pid);
    else rmSync(remoteSocket(pid), { force: true });
  }
  return live;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Undefined when nobody listens. */
function exchange(pid: number, line: string): Promise<RemoteAnswer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(remoteSocket(pid));
    let text = "";
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(`${line.replaceAll("\n", " ")}\n`));
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve(undefined);
      else reject(error);
    });
    socket.on("end", () => {
      try {
        resolve(JSON.parse(text) as RemoteAnswer);
      } catch {
        // It ended before it could answer: the UI was left meanwhile, perhaps by this command.
        resolve({});
      }
    });
  });
}

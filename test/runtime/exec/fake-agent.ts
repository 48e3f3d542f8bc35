import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

/** What the other end of a connection does; `nth` counts connections from 1. */
export type Script = (socket: Socket, nth: number) => void;

export interface FakeAgent {
  path: string;
  connections: number;
  /** Everything that was received, all connections together. */
  received: Buffer[];
  sockets: Socket[];
  listen(script: Script): Promise<void>;
}

/**
 * The far end of an exec socket, for what a real guest does only by bad luck: refusing, resetting,
 * cutting frames anywhere. What commands do is tested against real guests.
 */
export function useFakeAgent(): FakeAgent {
  let dir = "";
  let server: Server | undefined;
  const agent: FakeAgent = {
    path: "",
    connections: 0,
    received: [],
    sockets: [],
    async listen(script) {
      server = createServer((socket) => {
        agent.connections++;
        agent.sockets.push(socket);
        socket.on("error", () => {});
        socket.on("data", (chunk) => agent.received.push(chunk));
        script(socket, agent.connections);
      });
      await new Promise<void>((resolve) => server!.listen(agent.path, resolve));
    },
  };
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "machinen-exec-"));
    Object.assign(agent, { path: join(dir, "exec"), connections: 0, received: [], sockets: [] });
  });
  afterEach(() => {
    for (const socket of agent.sockets) socket.destroy();
    server?.close();
    server = undefined;
    rmSync(dir, { recursive: true, force: true });
  });
  return agent;
}

/** Answer the request once it has arrived. */
export function answering(...frames: Array<string | Buffer>): Script {
  return (socket) =>
    socket.once("data", () => {
      for (const frame of frames) socket.write(frame);
    });
}

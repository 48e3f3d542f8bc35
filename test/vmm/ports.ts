import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach } from "vitest";
import { type Machine, until } from "./machine.ts";

/** `listen` starts a server on the host and tells its port; each is closed when its test ends. */
export function useServers() {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  return async function listen(host: string, onSocket: (socket: Socket) => void): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      onSocket(socket);
    });
    servers.push(server);
    server.listen(0, host);
    await once(server, "listening");
    return (server.address() as { port: number }).port;
  };
}

/** A port of the host that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a program in the guest and waits until it listens. The number of l's is busybox's listen backlog. */
export async function serve(machine: Machine, port: number, program: string): Promise<void> {
  await machine.run(`nc -${"l".repeat(32)} -p ${port} -e ${program} >/dev/null 2>&1 </dev/null &`);
  const line = `:${port.toString(16).toUpperCase().padStart(4, "0")} .* 0A `;
  await until(`port ${port} in the guest`, async () =>
    /\d/.test(await machine.run(`grep '${line}' /proc/net/tcp /proc/net/tcp6 || true`)),
  );
}

/** Local addresses of the TCP sockets on which these processes listen. */
export function listeners(...pids: number[]): string[] {
  const inodes = new Set(
    pids.flatMap((pid) =>
      readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
        } catch {
          return [];
        }
      }),
    ),
  );
  return ["tcp", "tcp6", "udp", "udp6"].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((words) => inodes.has(words[9] ?? "") && words[3] !== "01")
      .map((words) => `${table} ${words[1]}`),
  );
}

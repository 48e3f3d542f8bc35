import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";

/** A unix socket that answers each line as told; `undefined` hangs up. */
export async function serveLines(
  path: string,
  answer: (line: string, socket: Socket) => string | Buffer | undefined,
): Promise<{ lines: string[]; close(): Promise<void> }> {
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
        const line = text.slice(0, end);
        text = text.slice(end + 1);
        lines.push(line);
        const reply = answer(line, socket);
        if (reply === undefined) socket.destroy();
        else socket.write(reply);
      }
    });
  });
  server.listen(path);
  await once(server, "listening");
  return {
    lines,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
      rmSync(path, { force: true });
    },
  };
}

import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { codeOf, describeError } from "../errors.ts";
import { ensureRemoteDirectory, remoteSocket } from "./address.ts";

/** What came of a command, as one line of JSON. */
export type RemoteAnswer = { text?: string } | { code: string; message: string };

/** A command line longer than this is none. */
const lineLimit = 65_536;

/** Lets other programs of this user give the running UI its commands, one line each. */
export class RemoteServer {
  private readonly perform: (line: string) => Promise<string | undefined>;
  private server: Server | undefined;
  private readonly path = remoteSocket(process.pid);

  constructor(perform: (line: string) => Promise<string | undefined>) {
    this.perform = perform;
  }

  /** @throws {Error} when there is no place to listen at */
  async start(): Promise<void> {
    ensureRemoteDirectory();
    rmSync(this.path, { force: true });
    const server = createServer((socket) => this.serve(socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      // Only the directory guards it until its own mode is set.
      server.listen(this.path, resolve);
    });
    server.on("error", () => {});
    chmodSync(this.path, 0o600);
    // The UI ends when its user leaves, whoever is still connected.
    server.unref();
    this.server = server;
  }

  close(): void {
    this.server?.close();
    this.server = undefined;
    rmSync(this.path, { force: true });
  }

  private serve(socket: Socket): void {
    let line = "";
    socket.unref();
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: string) => {
      line += chunk;
      const end = line.indexOf("\n");
      if (end < 0 && line.length <= lineLimit) return;
      socket.removeAllListeners("data").resume();
      void this.answer(line.slice(0, Math.max(0, end))).then((answer) =>
        socket.end(`${JSON.stringify(answer)}\n`),
      );
    });
  }

  private async answer(line: string): Promise<RemoteAnswer> {
    try {
      const text = await this.perform(line);
      return text === undefined ? {} : { text };
    } catch (error) {
      return { code: codeOf(error) ?? "UNEXPECTED", message: describeError(error) };
    }
  }
}

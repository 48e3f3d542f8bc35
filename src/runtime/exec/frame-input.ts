import type { Socket } from "node:net";
import { Writable } from "node:stream";
import { inputFrames } from "./requests.ts";

/**
 * Turns what is written to it into input frames on `socket`. Bytes written before the connection
 * stands wait for it; when the guest does not read, writing to this stream blocks in its turn.
 */
export class FrameInput extends Writable {
  private socket: Socket | undefined;

  constructor(connected: Promise<Socket>) {
    super({
      decodeStrings: true,
      construct: (callback) => {
        connected.then((socket) => {
          this.socket = socket;
          socket.once("close", () => this.destroy());
          callback();
        }, callback);
      },
    });
    // Typing into a session that has ended is no reason for the caller's program to end.
    this.on("error", () => {});
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error) => void): void {
    this.send([chunk], callback);
  }

  override _writev(
    chunks: Array<{ chunk: Buffer }>,
    callback: (error?: Error | null) => void,
  ): void {
    this.send(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  private send(chunks: Buffer[], callback: () => void): void {
    const socket = this.socket!;
    const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    let flowing = true;
    for (const part of inputFrames(bytes)) flowing = socket.write(part);
    if (flowing) {
      callback();
      return;
    }
    const next = () => {
      socket.off("drain", next).off("close", next);
      callback();
    };
    socket.on("drain", next).on("close", next);
  }
}

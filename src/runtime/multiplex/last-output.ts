import { readSync } from "node:fs";
import type { Duplex } from "node:stream";
import type { IPty } from "node-pty";

/** What node-pty does not tell of itself: the master, and the stream that reads and closes it. */
interface Inside {
  readonly fd: number;
  readonly _socket: Duplex;
}

const PIECE_BYTES = 1 << 16;
/** No more than this: what the program has left behind may write for ever. */
const MOST_BYTES = 1 << 20;

/**
 * Hand out what a PTY still holds when it is about to be closed. node-pty closes it soon after the program's end, read
 * or not, and libuv takes a hang-up after a short read for the end of the output.
 */
export function keepLastOutput(pty: IPty, take: (chunk: Buffer) => void): void {
  const { fd, _socket: socket } = pty as unknown as Inside;
  const destroy = socket.destroy;
  socket.destroy = (error) => {
    socket.destroy = destroy;
    // What it has read already comes first; it gives that to those who listen to the PTY.
    while (socket.read() !== null);
    for (const chunk of rest(fd)) take(chunk);
    return socket.destroy(error);
  };
}

function* rest(fd: number): Generator<Buffer> {
  for (let total = 0; total < MOST_BYTES; ) {
    const piece = Buffer.alloc(PIECE_BYTES);
    let length = 0;
    try {
      length = readSync(fd, piece);
    } catch {
      // EIO: that was all; EAGAIN: somebody else may write more, some day.
    }
    if (length === 0) return;
    total += length;
    yield piece.subarray(0, length);
  }
}

import { writeSync } from "node:fs";
import { Writable } from "node:stream";
import type { IPty } from "node-pty";

/** A program that does not read is looked at again so often. */
const retryMs = 5;

/** What node-pty's terminals have beside what its types say. */
interface Internals {
  fd: number;
  /** Destroyed, its descriptor is closed, and may be another file's by now. */
  _socket: { destroyed: boolean };
}

/**
 * What is typed into a PTY. node-pty would hand every write to another thread, which takes longer
 * than the write, and try without a pause while the program does not read.
 */
export function ptyInput(pty: IPty): Writable {
  const { fd, _socket: socket } = pty as unknown as Internals;
  const send = (bytes: Buffer, done: () => void): void => {
    const rest = socket.destroyed ? undefined : writeSome(fd, bytes);
    if (rest === undefined || rest.length === 0) done();
    else setTimeout(send, retryMs, rest, done);
  };
  return new Writable({ write: (chunk: Buffer, _encoding, done) => send(chunk, done) });
}

/** What the terminal did not take; undefined when it takes nothing any more. */
function writeSome(fd: number, bytes: Buffer): Buffer | undefined {
  try {
    return bytes.subarray(writeSync(fd, bytes));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EAGAIN" ? bytes : undefined;
  }
}

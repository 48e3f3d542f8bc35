import { Readable } from "node:stream";
import { Tail } from "../tail.ts";

/** What a handle remembers of each output stream. */
export const CONSOLE_TAIL_BYTES = 1024 * 1024;

/** Read a stream to its end; its last `capBytes` as text. An error ends it as an end does. */
export function collect(stream: Readable, capBytes: number = CONSOLE_TAIL_BYTES): Promise<string> {
  const tail = new Tail(capBytes);
  return new Promise((resolve) => {
    const done = () => resolve(tail.text());
    stream.on("data", (chunk: Buffer | string) => tail.push(Buffer.from(chunk as string)));
    stream.once("end", done);
    stream.once("error", done);
    stream.once("close", done);
    if (stream.readableEnded || stream.destroyed) done();
  });
}

/**
 * A child's output that nobody has to read: until the first reader comes the source flows and only the
 * tail is kept; from then on it is an ordinary stream, and pausing it pauses the source.
 */
export class ConsoleStream extends Readable {
  readonly tail = new Tail(CONSOLE_TAIL_BYTES);
  readonly firstByte: Promise<void>;
  /** Resolves when the source has ended. */
  readonly ended: Promise<void>;
  private wanted = false;
  private over = false;
  private readonly source: Readable;

  constructor(source: Readable, onChunk?: (chunk: Buffer) => void) {
    super();
    this.source = source;
    this.firstByte = new Promise((resolve) => source.once("data", () => resolve()));
    source.on("data", (chunk: Buffer) => {
      this.tail.push(chunk);
      onChunk?.(chunk);
      if (this.wanted && !this.push(chunk)) source.pause();
    });
    this.ended = new Promise((resolve) => {
      const finish = () => {
        if (this.over) return;
        this.over = true;
        if (this.wanted) this.push(null);
        resolve();
      };
      source.once("end", finish);
      source.once("error", finish);
      source.once("close", finish);
    });
  }

  /** Resolves when the kept output holds `text`. */
  saw(text: string): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!this.tail.bytes().includes(text)) return;
        this.source.off("data", check);
        resolve();
      };
      this.source.on("data", check);
      check();
    });
  }

  override _read(): void {
    if (!this.wanted) {
      this.wanted = true;
      const kept = this.tail.bytes();
      if (kept.length > 0) this.push(kept);
      if (this.over) this.push(null);
    }
    this.source.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.source.destroy();
    callback(error);
  }
}

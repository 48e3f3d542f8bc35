import { writeSync } from "node:fs";
import type { Writable } from "node:stream";

export interface OuterOutputOptions {
  /** Called when the outer terminal can take a frame; an empty result draws nothing. */
  paint(): Uint8Array;
  /** The outer terminal is gone. Called once. */
  onError?(error: Error): void;
}

/** Ends a sequence that was cut in the middle, and a synchronized update nobody else will end. */
const CUT_FRAME_END = "\x18\x1b\\\x1b[?2026l";
const RETRY_MS = 5;

/**
 * The outer terminal's write side: at most one frame in flight, and when it has gone out the next
 * one shows the newest state. A terminal that stops reading costs frames, never time or memory.
 */
export class OuterOutput {
  private readonly stream: Writable & { fd?: number };
  private readonly options: OuterOutputOptions;
  private inFlight = false;
  private wanted = false;
  private closed = false;
  private failed = false;

  constructor(stream: Writable & { fd?: number }, options: OuterOutputOptions) {
    this.stream = stream;
    this.options = options;
    makeNonBlocking(stream);
    stream.on("error", (error: Error) => this.fail(error));
  }

  /** Paint now, or as soon as the frame in flight has gone out. */
  request(): void {
    if (this.closed) return;
    if (this.inFlight) this.wanted = true;
    else this.sendFrame();
  }

  /** Bytes that are not a frame (modes): in order, after the frame in flight. */
  write(bytes: Uint8Array | string): void {
    if (!this.failed) this.stream.write(bytes);
  }

  /** No more frames; these last bytes go out after the one in flight. Waits so long at most. */
  async finish(bytes: string, timeoutMs = 500): Promise<void> {
    this.closed = true;
    if (this.failed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.stream.write(bytes, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** The same from an exit handler: blocks, but not for long. */
  finishSync(bytes: string, timeoutMs = 200): void {
    this.closed = true;
    if (this.failed || this.stream.fd === undefined) return;
    let rest = Buffer.from(this.inFlight ? CUT_FRAME_END + bytes : bytes);
    const deadline = Date.now() + timeoutMs;
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(this.stream.fd, rest));
      } catch (error) {
        const full = (error as NodeJS.ErrnoException).code === "EAGAIN";
        if (!full || Date.now() >= deadline) return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
      }
    }
  }

  /** Frames again after `finish` (a suspended TUI comes back). */
  resume(bytes: string): void {
    this.closed = this.failed;
    makeNonBlocking(this.stream);
    this.write(bytes);
  }

  private sendFrame(): void {
    this.wanted = false;
    const rest = this.writeNow(this.options.paint());
    if (rest.length === 0) return;
    this.inFlight = true;
    this.stream.write(rest, (error) => {
      this.inFlight = false;
      if (!error && this.wanted && !this.closed) this.sendFrame();
    });
  }

  /** What the terminal does not take at once; mostly nothing, and the stream's detours are saved. */
  private writeNow(frame: Uint8Array): Uint8Array {
    const { fd, writableLength } = this.stream;
    if (fd === undefined || writableLength > 0 || frame.length === 0) return frame;
    try {
      return frame.subarray(writeSync(fd, frame));
    } catch {
      // Full, or gone: the stream waits, or says so.
      return frame;
    }
  }

  private fail(error: Error): void {
    if (this.failed) return;
    this.failed = true;
    this.closed = true;
    this.options.onError?.(error);
  }
}

// Node makes terminals blocking: one that stops reading would then stop every pane.
function makeNonBlocking(stream: Writable): void {
  type Handle = { setBlocking?(blocking: boolean): void };
  (stream as unknown as { _handle?: Handle })._handle?.setBlocking?.(false);
}

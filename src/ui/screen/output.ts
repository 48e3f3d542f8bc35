export interface OuterOutputOptions {
  /** Called when the outer terminal can take a frame; an empty result draws nothing. */
  paint(): Uint8Array;
  /** The outer terminal is gone. */
  onError?(error: Error): void;
}

/** The outer terminal's write side: at most one frame in flight, newest state next. */
export class OuterOutput {
  constructor(_stream: NodeJS.WriteStream, _options: OuterOutputOptions) {}
  /** Paint now, or as soon as the frame in flight has gone out. */
  request(): void {}
  /** Bytes that are not a frame (modes on start): in order after the frame in flight. */
  write(_bytes: Uint8Array | string): void {}
  /** Whether a frame is still going out. */
  get busy(): boolean {
    return false;
  }
  /** No more frames; wait for the one in flight (bounded), then send these last bytes. */
  async finish(_bytes: string, _timeoutMs?: number): Promise<void> {}
  /** The same from an exit or signal handler: blocking, bounded. */
  finishSync(_bytes: string, _timeoutMs?: number): void {}
}

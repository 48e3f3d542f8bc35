/** The last `capacity` bytes of a stream; takes memory only once something was written. */
export class ByteRing {
  readonly capacity: number;
  private buffer: Buffer | undefined;
  /** Where the next byte goes. */
  private end = 0;
  private full = false;

  constructor(capacity: number) {
    this.capacity = Number.isFinite(capacity) ? Math.max(0, Math.trunc(capacity)) : 0;
  }

  write(chunk: Buffer): void {
    if (this.capacity === 0 || chunk.length === 0) return;
    this.buffer ??= Buffer.allocUnsafeSlow(this.capacity);
    const tail = chunk.length > this.capacity ? chunk.subarray(-this.capacity) : chunk;
    const room = this.capacity - this.end;
    tail.copy(this.buffer, this.end, 0, Math.min(room, tail.length));
    if (tail.length >= room) {
      tail.copy(this.buffer, 0, room);
      this.full = true;
    }
    this.end = (this.end + tail.length) % this.capacity;
  }

  clear(): void {
    this.end = 0;
    this.full = false;
  }

  /** A copy, oldest byte first. */
  read(): Buffer {
    if (this.buffer === undefined) return Buffer.alloc(0);
    if (!this.full) return Buffer.from(this.buffer.subarray(0, this.end));
    return Buffer.concat([this.buffer.subarray(this.end), this.buffer.subarray(0, this.end)]);
  }
}

/** The last `capacity` bytes of a stream of chunks. */
export class Tail {
  private chunks: Buffer[] = [];
  private length = 0;
  private isCut = false;
  private readonly capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.length += chunk.length;
    while (this.length > this.capacity) {
      this.isCut = true;
      const first = this.chunks[0]!;
      const excess = this.length - this.capacity;
      if (first.length <= excess) this.chunks.shift();
      else this.chunks[0] = first.subarray(excess);
      this.length -= Math.min(first.length, excess);
    }
  }

  bytes(): Buffer {
    return this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks);
  }

  /** Begins with a whole character. */
  text(): string {
    const bytes = this.bytes();
    let start = 0;
    while (this.isCut && start < 3 && (bytes[start]! & 0xc0) === 0x80) start++;
    return bytes.toString("utf8", start);
  }
}

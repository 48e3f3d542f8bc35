/** An output buffer that grows and is reused; every frame is assembled in one. */
export class ByteWriter {
  private buffer = Buffer.allocUnsafe(64 * 1024);
  length = 0;

  /** Make room before a run of unchecked bytes. */
  reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + bytes));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  byte(value: number): void {
    if (this.length === this.buffer.length) this.reserve(1);
    this.buffer[this.length++] = value;
  }

  ascii(text: string): void {
    this.reserve(text.length);
    for (let i = 0; i < text.length; i++) this.buffer[this.length++] = text.charCodeAt(i);
  }

  utf8(text: string): void {
    this.reserve(text.length * 3);
    this.length += this.buffer.write(text, this.length, "utf8");
  }

  /** A decimal number >= 0. */
  number(value: number): void {
    if (value >= 10) this.number((value / 10) | 0);
    this.byte(48 + (value % 10));
  }

  codePoint(code: number): void {
    if (code < 0x80) {
      this.byte(code);
      return;
    }
    this.reserve(4);
    const b = this.buffer;
    if (code < 0x800) {
      b[this.length++] = 0xc0 | (code >> 6);
    } else if (code < 0x10000) {
      b[this.length++] = 0xe0 | (code >> 12);
      b[this.length++] = 0x80 | ((code >> 6) & 0x3f);
    } else {
      b[this.length++] = 0xf0 | (code >> 18);
      b[this.length++] = 0x80 | ((code >> 12) & 0x3f);
      b[this.length++] = 0x80 | ((code >> 6) & 0x3f);
    }
    b[this.length++] = 0x80 | (code & 0x3f);
  }

  /** A view of what was written from `start` on; valid until the next write. */
  view(start: number): Buffer {
    return this.buffer.subarray(start, this.length);
  }

  /** Overwrite earlier bytes. */
  patch(at: number, text: string): void {
    this.buffer.write(text, at, "latin1");
  }
}

/** Makes archives byte by byte, also ones that no tar would write. */
export interface Entry {
  path: string;
  type?: string;
  mode?: number;
  target?: string;
  data?: Buffer | string;
  /** What the header says; default: the length of `data`. */
  size?: number | Buffer;
  /** pax records before it. */
  records?: Record<string, string>;
}

const BLOCK = 512;

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

function header({ path, type = "0", mode = 0o644, target = "", data = "", size }: Entry): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (at: number, width: number, value: number) =>
    block.write(value.toString(8).padStart(width - 1, "0"), at, "latin1");
  block.write(path, 0, 100, "latin1");
  octal(100, 8, mode);
  octal(108, 8, 0);
  octal(116, 8, 0);
  if (Buffer.isBuffer(size)) size.copy(block, 124);
  else octal(124, 12, size ?? Buffer.byteLength(data));
  octal(136, 12, 1_000_000_000);
  block.write(type, 156, 1, "latin1");
  block.write(target, 157, 100, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  octal(329, 8, 1);
  octal(337, 8, 3);
  return signed(block);
}

/** Put the right checksum into a header. */
export function signed(block: Buffer): Buffer {
  block.fill(0x20, 148, 156);
  const sum = block.subarray(0, BLOCK).reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

export function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest, "latin1");
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length;
  return `${length}${rest}`;
}

export function member(entry: Entry): Buffer {
  const data = Buffer.from(entry.data ?? "");
  const own = Buffer.concat([header(entry), padded(data)]);
  if (!entry.records) return own;
  const text = Object.entries(entry.records).map(([key, value]) => record(key, value));
  const described = { path: "PaxHeader", type: "x", data: Buffer.from(text.join(""), "latin1") };
  return Buffer.concat([member(described), own]);
}

export function tar(...entries: Entry[]): Buffer {
  return Buffer.concat([...entries.map(member), Buffer.alloc(2 * BLOCK)]);
}

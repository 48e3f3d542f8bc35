const BLOCK = 512;

/** A small file of root's as a member of a tar archive, ready to stand before the others. Pure. */
export function tarFileMember(path: string, content: string, mtimeSeconds: number): Buffer {
  const data = Buffer.from(content);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, width: number) => value.toString(8).padStart(width - 1, "0");
  header.write(path, 0, 100);
  header.write(octal(0o644, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(data.length, 12), 124);
  header.write(octal(Math.trunc(mtimeSeconds), 12), 136);
  // The checksum is taken with spaces in its own place.
  header.write("        0", 148);
  header.write("ustar\x0000", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 7)}\0 `, 148, "latin1");
  return Buffer.concat([header, data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)]);
}

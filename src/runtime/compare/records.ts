const NUL = 0;

/** Split what a guest sent into rows of `width` fields, each closed by a NUL. A torn last row is left out. */
export function splitRecords(bytes: Buffer, width: number): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let start = 0, end = bytes.indexOf(NUL); end >= 0; end = bytes.indexOf(NUL, start)) {
    row.push(bytes.toString("utf8", start, end));
    start = end + 1;
    if (row.length < width) continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

/** Decimal (or octal) numbers separated by single spaces; undefined when any is malformed. */
export function readNumbers(text: string, count: number): number[] | undefined {
  const words = text.split(" ");
  const numbers = words.map(Number);
  const sound = words.length === count && words.every((word) => /^-?\d{1,20}$/.test(word));
  return sound ? numbers : undefined;
}

/** One member of a tar archive. Names and link targets are byte strings (latin1). */
export interface TarMember {
  path: string;
  type: "file" | "directory" | "symlink" | "hardlink" | "character" | "block" | "fifo";
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since the epoch. */
  mtime: number;
  /** Target of a symbolic link, or the earlier member a hard link repeats. */
  target: string;
  rdev: [major: number, minor: number];
  data: Buffer;
}

const BLOCK = 512;
/** The holes of a sparse file cost nothing in an archive, and memory here. */
const MAX_SPARSE_BYTES = 1024 * 1024 * 1024;

const TYPES: Record<string, TarMember["type"]> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

/**
 * The members of an unpacked tar archive (ustar, GNU long names, pax, GNU sparse format 1.0). Throws
 * on a damaged archive and on older sparse formats, which it would otherwise give back wrong.
 */
export function* readTar(archive: Buffer): Generator<TarMember> {
  let extended = new Map<string, string>();
  let at = 0;
  while (at + BLOCK <= archive.length) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return;
    checkHeader(header, at);
    const type = String.fromCharCode(header[156]!);
    const own = type === "x" || type === "g" || type === "L" || type === "K";
    const size = own
      ? number(header, 124, 12)
      : Number(extended.get("size") ?? number(header, 124, 12));
    const hasData = own || type === "S" || TYPES[type] === "file" || !(type in TYPES);
    const length = hasData ? size : 0;
    if (!Number.isSafeInteger(length) || length < 0 || at + BLOCK + length > archive.length)
      throw new Error(`tar member at byte ${at} runs past the end of the archive`);
    const data = archive.subarray(at + BLOCK, at + BLOCK + length);
    at += BLOCK + Math.ceil(length / BLOCK) * BLOCK;

    if (type === "x") extended = new Map([...extended, ...paxRecords(data)]);
    else if (type === "L") extended.set("path", text(data, 0, data.length));
    else if (type === "K") extended.set("linkpath", text(data, 0, data.length));
    else if (type !== "g") {
      const kind = TYPES[type];
      const sparse = sparseData(type, extended, data);
      if (kind) yield member(header, kind, extended, sparse ?? data);
      extended = new Map();
    }
  }
  // A well-formed archive ends with zero blocks; some writers leave them out at an exact end.
  if (at < archive.length) throw new Error("tar archive ends inside a header");
}

function member(
  header: Buffer,
  type: TarMember["type"],
  extended: Map<string, string>,
  data: Buffer,
): TarMember {
  const ustar = header.toString("latin1", 257, 263) === "ustar\0";
  const prefix = ustar ? text(header, 345, 155) : "";
  const name = text(header, 0, 100);
  const value = (key: string, offset: number, length: number) => {
    const override = Number(extended.get(key));
    return extended.has(key) && Number.isFinite(override)
      ? override
      : number(header, offset, length);
  };
  return {
    path:
      extended.get("GNU.sparse.name") ??
      extended.get("path") ??
      (prefix ? `${prefix}/${name}` : name),
    type,
    mode: number(header, 100, 8) & 0o7777,
    uid: value("uid", 108, 8),
    gid: value("gid", 116, 8),
    mtime: value("mtime", 136, 12),
    target: extended.get("linkpath") ?? text(header, 157, 100),
    rdev: [number(header, 329, 8), number(header, 337, 8)],
    data,
  };
}

/** The whole content of a sparse member, or undefined when it is an ordinary one. */
function sparseData(type: string, extended: Map<string, string>, data: Buffer): Buffer | undefined {
  const isSparse = type === "S" || [...extended.keys()].some((key) => key.startsWith("GNU.sparse"));
  if (!isSparse) return undefined;
  if (extended.get("GNU.sparse.major") !== "1" || extended.get("GNU.sparse.minor") !== "0")
    throw new Error(
      "only sparse format 1.0 can be read: pack with --format=pax, or without --sparse",
    );
  return expandSparse(data, Number(extended.get("GNU.sparse.realsize")));
}

/** The data begins with the number of segments, then offset and length of each, one a line. */
function expandSparse(data: Buffer, size: number): Buffer {
  let at = 0;
  const next = (): number => {
    const end = data.indexOf(0x0a, at);
    const digits = data.toString("latin1", at, end < 0 ? at : end);
    if (!/^\d{1,15}$/.test(digits)) throw new Error("damaged map of a sparse tar member");
    at = end + 1;
    return Number(digits);
  };
  const segments = Array.from({ length: Math.min(next(), data.length) }, () => [next(), next()]);
  if (!Number.isSafeInteger(size) || size > MAX_SPARSE_BYTES)
    throw new Error(`a sparse tar member of ${size} bytes is too large to be held in memory`);
  const whole = Buffer.alloc(size);
  at = Math.ceil(at / BLOCK) * BLOCK;
  for (const [offset, length] of segments as [number, number][]) {
    if (at + length > data.length || offset + length > size)
      throw new Error("a segment of a sparse tar member lies outside of it");
    data.copy(whole, offset, at, at + length);
    at += length;
  }
  return whole;
}

/** `<length> <key>=<value>\n` records; the length counts itself. */
function* paxRecords(data: Buffer): Generator<[string, string]> {
  let at = 0;
  while (at < data.length) {
    const space = data.indexOf(0x20, at);
    const length = Number(data.toString("latin1", at, space));
    const end = at + length;
    const equals = data.indexOf(0x3d, space);
    if (space < 0 || !(length > 0) || end > data.length || equals < 0 || equals >= end)
      throw new Error("damaged pax header");
    yield [
      data.toString("latin1", space + 1, equals),
      data.toString("latin1", equals + 1, end - 1),
    ];
    at = end;
  }
}

function checkHeader(header: Buffer, at: number): void {
  let sum = 0;
  for (let index = 0; index < BLOCK; index++)
    sum += index >= 148 && index < 156 ? 0x20 : header[index]!;
  if (sum !== number(header, 148, 8)) throw new Error(`no tar header at byte ${at}`);
}

/** A numeric field: octal digits, or big-endian binary when the first bit is set. */
function number(header: Buffer, offset: number, length: number): number {
  if (header[offset]! & 0x80) {
    let value = header[offset]! & 0x7f;
    for (let index = 1; index < length; index++) value = value * 256 + header[offset + index]!;
    return value;
  }
  const digits = text(header, offset, length).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || "0", 8) : Number.NaN;
}

function text(bytes: Buffer, offset: number, length: number): string {
  const end = bytes.subarray(offset, offset + length).indexOf(0);
  return bytes.toString("latin1", offset, end < 0 ? offset + length : offset + end);
}

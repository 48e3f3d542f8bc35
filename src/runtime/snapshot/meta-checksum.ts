import { createHash } from "node:crypto";

type Fields = Record<string, unknown>;

const sumOf = (fields: object): string =>
  createHash("sha256").update(JSON.stringify(fields)).digest("hex");

/** `meta` with a checksum as its last field. */
export function withChecksum(meta: object): object {
  return { ...meta, sha256: sumOf(meta) };
}

/** The fields without their checksum; undefined when it is not theirs, or missing. */
export function checked({ sha256, ...fields }: Fields): Fields | undefined {
  return sha256 === sumOf(fields) ? fields : undefined;
}

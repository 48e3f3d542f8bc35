import { randomBytes } from "node:crypto";
import { posix } from "node:path";
import { shellQuote } from "../shell-quote.ts";
import type { WriteFileOptions } from "./vm-handle.ts";

/** Linux refuses a single argument over 128 KiB; this leaves room for the shell around it. */
const WRITE_FILE_B64_CHUNK_BYTES = 64 * 1024;

function prepareParent(guestPath: string, recursive: boolean): string {
  const parent = posix.dirname(guestPath);
  // A path that begins with a dash is no option.
  return recursive && parent !== "." && parent !== "/"
    ? `mkdir -p -- ${shellQuote(parent)} && `
    : "";
}

function setMode(guestPath: string, mode: number | undefined): string {
  return mode === undefined
    ? ""
    : ` && chmod -- ${(mode & 0o7777).toString(8).padStart(4, "0")} ${shellQuote(guestPath)}`;
}

function writeCmd(guestPath: string, base64: string, opts: WriteFileOptions): string {
  const redirect = opts.append ? ">>" : ">";
  return (
    prepareParent(guestPath, opts.recursive ?? true) +
    `echo ${base64} | base64 -d ${redirect} ${shellQuote(guestPath)}` +
    setMode(guestPath, opts.mode)
  );
}

/** One shell line that writes `contents` to `guestPath`; any bytes survive, as base64. */
export function buildWriteFileCmd(
  guestPath: string,
  contents: Buffer | string,
  opts: WriteFileOptions = {},
): string {
  return writeCmd(guestPath, Buffer.from(contents as string).toString("base64"), opts);
}

/** The same for contents of any size: large ones are staged in /tmp in pieces and decoded at the end. */
export function buildWriteFileCmds(
  guestPath: string,
  contents: Buffer | string,
  opts: WriteFileOptions = {},
): string[] {
  const base64 = Buffer.from(contents as string).toString("base64");
  if (base64.length <= WRITE_FILE_B64_CHUNK_BYTES) return [writeCmd(guestPath, base64, opts)];
  const stage = `/tmp/.machinen-write-${randomBytes(8).toString("hex")}`;
  const cmds: string[] = [];
  for (let at = 0; at < base64.length; at += WRITE_FILE_B64_CHUNK_BYTES) {
    const piece = base64.slice(at, at + WRITE_FILE_B64_CHUNK_BYTES);
    cmds.push(
      `printf %s ${piece} ${at === 0 ? ">" : ">>"} ${stage} || { rm -f ${stage}; exit 1; }`,
    );
  }
  const redirect = opts.append ? ">>" : ">";
  cmds.push(
    `{ ${prepareParent(guestPath, opts.recursive ?? true)}base64 -d < ${stage} ${redirect} ${shellQuote(guestPath)}` +
      `${setMode(guestPath, opts.mode)}; }; code=$?; rm -f ${stage}; exit $code`,
  );
  return cmds;
}

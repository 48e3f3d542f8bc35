import { randomBytes } from "node:crypto";
import { ExecError } from "../errors.ts";

/** What a client may say to the exec service: requests that open a stream, and frames on it. */

/** A request that the guest honours once, however often it is sent. */
export function execRequest(cmd: string, opts: { stdin?: boolean } = {}): Buffer {
  const text = commandBytes(cmd);
  const id = `id ${randomBytes(12).toString("hex")}\n`;
  const header = Buffer.from(`${id}${opts.stdin ? "stdin 1\n" : ""}\n`);
  const line = Buffer.from(`EXEC3 ${header.length + text.length}\n`);
  return Buffer.concat([line, header, text]);
}

export function ptyRequest(cmd: string, cols: number, rows: number): Buffer {
  const text = commandBytes(cmd);
  return Buffer.concat([Buffer.from(`PTY ${size(cols)} ${size(rows)} ${text.length}\n`), text]);
}

export function sessionRequest(name: string, cmd: string, cols: number, rows: number): Buffer {
  const id = sessionName(name);
  const text = commandBytes(cmd);
  const head = `PTYSESSION ${size(cols)} ${size(rows)} ${id.length} ${text.length}\n`;
  return Buffer.concat([Buffer.from(head), id, text]);
}

export const listRequest = (): Buffer => Buffer.from("PTYLIST\n");

export function killRequest(name: string): Buffer {
  const id = sessionName(name);
  return Buffer.concat([Buffer.from(`PTYKILL ${id.length}\n`), id]);
}

/** Nothing for a terminal that does not know its size: the guest's keeps the one it has. */
export function resizeFrame(cols: number, rows: number): Buffer {
  const [width, height] = [size(cols), size(rows)];
  return Buffer.from(width > 0 && height > 0 ? `R ${width} ${height}\n` : "");
}

const MAX_INPUT = 65_536;

/** Input frames for `bytes`: one buffer for a keystroke, no copy of what is large. */
export function inputFrames(bytes: Buffer): Buffer[] {
  if (bytes.length === 0) return [];
  if (bytes.length <= 4096) return [Buffer.concat([Buffer.from(`I ${bytes.length}\n`), bytes])];
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += MAX_INPUT) {
    const part = bytes.subarray(at, at + MAX_INPUT);
    frames.push(Buffer.from(`I ${part.length}\n`), part);
  }
  return frames;
}

function commandBytes(cmd: string): Buffer {
  if (cmd.includes("\0")) throw new ExecError("EXEC_PROTOCOL", "the command holds a NUL byte");
  return Buffer.from(cmd);
}

function sessionName(name: string): Buffer {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
    throw new ExecError(
      "EXEC_PROTOCOL",
      `bad session name ${JSON.stringify(name)}: 1 to 64 of letters, digits, ".", "_" and "-"`,
    );
  }
  return Buffer.from(name);
}

/** What the agent takes for a width or height. */
const LARGEST_SIZE = 10_000;

/** 0 for a terminal that does not know its size yet: the agent then chooses. */
function size(cells: number): number {
  const whole = Math.trunc(cells);
  return whole > 0 ? Math.min(whole, LARGEST_SIZE) : 0;
}

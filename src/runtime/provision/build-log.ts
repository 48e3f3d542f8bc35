import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { LogEvent } from "../log.ts";
import { detachedLogRoot } from "../machine/index.ts";

/** The beginning of a build shows what it did, its end why it failed: a flood between them is left out. */
const HEAD_BYTES = 16 * 1024 * 1024;
const TAIL_BYTES = 1024 * 1024;
const KEPT_LOGS = 20;

const isBuildLog = (name: string): boolean => /^provision-\d+-[0-9a-f]{8}\.log$/.test(name);

/** Everything a build printed, in a file that outlives this process however it ends. */
export class BuildLog {
  readonly path: string | undefined;
  private fd: number | undefined;
  private written = 0;
  private tail: Buffer[] = [];
  private tailBytes = 0;
  private leftOut = 0;

  /** A log that cannot be written must not keep an image from being built. */
  constructor(directory: string = detachedLogRoot()) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      forgetOldLogs(directory);
      const name = `provision-${process.pid}-${randomBytes(4).toString("hex")}.log`;
      this.fd = openSync(join(directory, name), "wx", 0o600);
      this.path = join(directory, name);
    } catch {
      this.path = undefined;
    }
  }

  event(event: LogEvent): void {
    if (event.source !== "phase") this.write(event.chunk);
  }

  line(text: string): void {
    this.write(Buffer.from(`machinen: ${text}\n`));
  }

  /** A failed build's log stays. */
  keep(): void {
    if (this.leftOut > 0) this.put(Buffer.from(`\nmachinen: ${this.leftOut} bytes left out\n`));
    for (const chunk of this.tail) this.put(chunk);
    this.close();
  }

  discard(): void {
    this.close();
    if (this.path) rmSync(this.path, { force: true });
  }

  private write(chunk: Buffer): void {
    if (this.written < HEAD_BYTES) {
      this.written += chunk.length;
      this.put(chunk);
      return;
    }
    this.tail.push(chunk);
    this.tailBytes += chunk.length;
    while (this.tailBytes - this.tail[0]!.length >= TAIL_BYTES) {
      const dropped = this.tail.shift()!.length;
      this.tailBytes -= dropped;
      this.leftOut += dropped;
    }
  }

  private put(chunk: Buffer): void {
    try {
      if (this.fd !== undefined) writeSync(this.fd, chunk);
    } catch {
      this.close(); // A full disk is for the build itself to report.
    }
  }

  private close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }
}

function forgetOldLogs(directory: string): void {
  const logs = readdirSync(directory)
    .filter(isBuildLog)
    .map((name) => join(directory, name))
    .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of logs.slice(KEPT_LOGS - 1)) rmSync(path, { force: true });
}

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { resolve as resolvePath } from "node:path";
import { Readable, type Writable } from "node:stream";
import type { IPty } from "node-pty";
import { BootError } from "../errors.ts";
import { ByteRing } from "./byte-ring.ts";
import { keepLastOutput } from "./last-output.ts";
import { ptyInput } from "./pty-input.ts";

export interface PtyBootOptions {
  /** Program to start: absolute, or relative to the current directory. */
  binary: string;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  cwd?: string;
  args?: string[];
  /** Default 80. */
  cols?: number;
  /** Default 24. */
  rows?: number;
  /** `TERM`. Default `xterm-256color`. */
  name?: string;
}

/** A program on a PTY of this host, with the streams of a machine. */
export interface PtyVmHandle {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** The same stream as `stdout`: a PTY has one. */
  readonly stderr: Readable;
  resize(cols: number, rows: number): void;
  wait(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>;
  /** The last MiB of output, once it has ended. */
  output(): Promise<string>;
  errorOutput(): Promise<string>;
}

const KEPT_OUTPUT_BYTES = 1 << 20;

/** Start a program on a new PTY. @throws {BootError} BOOT_VMM_MISSING when there is no such file */
export function bootPty(opts: PtyBootOptions): PtyVmHandle {
  const binary = resolvePath(opts.binary);
  if (!existsSync(binary)) {
    throw new BootError("BOOT_VMM_MISSING", `there is no program ${binary}`);
  }
  const pty = loadNodePty().spawn(binary, opts.args ?? [], {
    name: opts.name ?? "xterm-256color",
    cols: opts.cols ?? 80,
    rows: opts.rows ?? 24,
    cwd: opts.cwd ?? process.cwd(),
    env: { ...process.env, ...opts.env },
    encoding: null,
  });
  return new LocalPty(pty);
}

/** A native module that only this function needs: loaded when it is first used. */
function loadNodePty(): typeof import("node-pty") {
  return createRequire(import.meta.url)("node-pty");
}

class LocalPty implements PtyVmHandle {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  private readonly pty: IPty;
  private readonly kept = new ByteRing(KEPT_OUTPUT_BYTES);
  private readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  private gone = false;

  constructor(pty: IPty) {
    this.pty = pty;
    this.pid = pty.pid;
    this.stdin = ptyInput(pty);
    this.stdout = new Readable({ read: () => this.gone || pty.resume() });
    const take = (chunk: Buffer) => {
      this.kept.write(chunk);
      if (!this.stdout.push(chunk) && !this.gone) pty.pause();
    };
    // With `encoding: null` node-pty hands out buffers, whatever its types say.
    pty.onData((data) => take(data as unknown as Buffer));
    keepLastOutput(pty, take);
    this.ended = new Promise((resolve) => {
      pty.onExit(({ exitCode, signal }) => {
        this.gone = true;
        this.stdout.push(null);
        this.stdin.destroy();
        resolve(
          signal ? { code: null, signal: signalName(signal) } : { code: exitCode, signal: null },
        );
      });
    });
  }

  get stderr(): Readable {
    return this.stdout;
  }

  resize(cols: number, rows: number): void {
    if (!this.gone && cols > 0 && rows > 0) this.pty.resize(cols, rows);
  }

  wait(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    // A program whose output nobody takes would block before it ends.
    if (this.stdout.readableFlowing === null && this.stdout.listenerCount("readable") === 0) {
      this.stdout.resume();
    }
    return this.ended;
  }

  async kill(): Promise<void> {
    if (!this.gone) {
      this.pty.kill("SIGKILL");
      // A paused PTY would not notice that it has been closed.
      this.pty.resume();
    }
    await this.ended;
  }

  async output(): Promise<string> {
    await this.wait();
    return this.kept.read().toString("utf8");
  }

  errorOutput(): Promise<string> {
    return this.output();
  }
}

function signalName(number: number): NodeJS.Signals | null {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return (found?.[0] as NodeJS.Signals | undefined) ?? null;
}

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { packageRoot } from "../../src/runtime/package-root.ts";
import { make } from "../make.ts";

const guest = join(packageRoot(), "guest");

/** Everything here runs the agent built with the address and undefined-behaviour sanitizers. */
export function buildAgent(): void {
  make("guest", "asan", "relay");
}

/** Builds the agent if need be, and starts it. */
export async function startRelay(): Promise<Relay> {
  buildAgent();
  const relay = new Relay();
  await relay.up();
  return relay;
}

/** Ends it. The sanitizers must have found nothing. */
export async function stopRelay(relay: Relay): Promise<void> {
  expect(await relay.stop()).not.toMatch(/Sanitizer|runtime error/);
}

/** The agent as an ordinary process, its link ending in unix sockets. */
export class Relay {
  readonly directory = mkdtempSync(join(tmpdir(), "machinen-agent-"));
  readonly #process: ChildProcess;
  #log = "";
  agentPid = 0;

  constructor(mode: "spawn" | "wait" = "spawn") {
    const ports = [1970, 1974, 1975, 1976, 1978, 4242].map(
      (port) => `${port}:${this.socket(port)}`,
    );
    this.#process = spawn(
      join(guest, "build/link-relay"),
      [mode, join(guest, "build/machinen-init-asan"), ...ports],
      { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ASAN_OPTIONS: "detect_leaks=1" } },
    );
    this.#process.stdout?.on("data", (data) => {
      this.#log += data;
    });
    this.#process.stderr?.on("data", (data) => {
      this.#log += data;
    });
  }

  socket(port: number): string {
    return join(this.directory, String(port));
  }

  /** Until this many handshakes are complete. */
  async up(times = 1): Promise<void> {
    await until(() => this.#log.split("up\n").length > times);
    this.agentPid = Number(/agent (\d+)/.exec(this.#log)?.[1]);
  }

  command(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  /** Ends the relay and so the agent; the agent's own exit status and complaints are in the result. */
  async stop(): Promise<string> {
    /* The agent holds the same standard error: `close` comes after its last word. */
    const closed = new Promise((resolve) => this.#process.once("close", resolve));
    this.#process.stdin?.end();
    await closed;
    await until(() => !processExists(this.agentPid));
    rmSync(this.directory, { recursive: true, force: true });
    return this.#log;
  }

  open(port: number): Connection {
    return new Connection(connect({ path: this.socket(port), allowHalfOpen: true }));
  }

  /** Send, collect all that comes back until the other side is done. */
  async ask(port: number, bytes: string | Buffer): Promise<Buffer> {
    const connection = this.open(port);
    connection.socket.write(bytes);
    await connection.ended();
    connection.socket.end();
    return connection.received;
  }

  async exec(command: string): Promise<Result> {
    return parseFrames(await this.ask(1978, `EXEC2 ${Buffer.byteLength(command)}\n${command}`));
  }
}

export class Connection {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  #ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (data) => this.#chunks.push(data));
    for (const event of ["end", "close", "error"]) {
      socket.on(event, () => {
        this.#ended = true;
      });
    }
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** What has arrived so far, as frames. */
  get result(): Result {
    return parseFrames(this.received);
  }

  write(text: string): void {
    this.socket.write(text);
  }

  type(text: string): void {
    this.write(`I ${Buffer.byteLength(text)}\n${text}`);
  }

  async ended(): Promise<void> {
    await until(() => this.#ended);
  }

  async shows(text: string): Promise<void> {
    await until(
      () => this.result.output.includes(text),
      () => `${text} in ${this.received.subarray(-2000)}`,
    );
  }
}

export interface Result {
  pid?: number;
  code?: number;
  refusal?: string;
  /** Standard output, or the PTY's live output. */
  stdout: Buffer;
  stderr: Buffer;
  replay: Buffer;
  /** Replay and live output as one text. */
  output: string;
  sizes: string[];
  types: string;
}

/** What the agent sent; bytes of a frame that has not arrived whole are left out. */
export function parseFrames(bytes: Buffer): Result {
  const parts: Record<"O" | "E" | "B", Buffer[]> = { O: [], E: [], B: [] };
  const screen: Buffer[] = [];
  const result: Partial<Result> & { sizes: string[]; types: string } = { sizes: [], types: "" };
  let at = 0;
  while (at < bytes.length) {
    const newline = bytes.indexOf(10, at);
    if (newline < 0) break;
    const line = bytes.toString("latin1", at, newline);
    const type = line[0] ?? "";
    const value = line.slice(2);
    at = newline + 1;
    result.types += type;
    if (type === "O" || type === "E" || type === "B") {
      const length = Number(value);
      if (!/^\d+$/.test(value) || length > 65536) throw new Error(`bad frame ${line}`);
      const payload = bytes.subarray(at, at + length);
      parts[type].push(payload);
      if (type !== "E") screen.push(payload);
      at += length;
    } else if (type === "A") result.pid = Number(value);
    else if (type === "X") result.code = Number(value);
    else if (type === "W") result.sizes.push(value);
    else if (type === "!") result.refusal = value;
    else throw new Error(`bad frame ${JSON.stringify(line)}`);
  }
  return {
    ...result,
    stdout: Buffer.concat(parts.O),
    stderr: Buffer.concat(parts.E),
    replay: Buffer.concat(parts.B),
    output: Buffer.concat(screen).toString(),
  };
}

export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Polls; the deadline only ends a test that would hang. */
export async function until(
  condition: () => boolean,
  what = () => String(condition),
): Promise<void> {
  const end = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

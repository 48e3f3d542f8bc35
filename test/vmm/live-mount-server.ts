import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, copyFileSync, mkdtempSync, openSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../src/runtime/package-root.ts";
import { make } from "../make.ts";

const vmm = join(packageRoot(), "vmm");

/** Opcodes of FUSE, and our own (vmm/livemount-message.h). */
export const op = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  readlink: 5,
  symlink: 6,
  mknod: 8,
  mkdir: 9,
  unlink: 10,
  rename: 12,
  link: 13,
  open: 14,
  read: 15,
  write: 16,
  release: 18,
  setxattr: 21,
  getxattr: 22,
  init: 26,
  opendir: 27,
  readdir: 28,
  create: 35,
  batchForget: 42,
  readdirplus: 44,
  hello: 0x6d610001,
  paused: 0x6d610002,
  stored: 0x6d610003,
} as const;

export const say = { pause: 0x6d610001, state: 0x6d610002, go: 0x6d610003 } as const;

export interface Reply {
  /** An errno, or 0. */
  error: number;
  body: Buffer;
}

/** The program with sanitizers: what it does with hostile messages is to be seen. */
export function buildServer(): void {
  make("vmm", "build/asan/machinen-vmm");
}

/** A file server as the VMM starts it, with the test in the guest's place. */
export class LiveMountServer {
  readonly child: ChildProcess;
  readonly data: Socket;
  readonly control: Socket;
  stderr = "";
  /** Messages of our own, as they came. */
  readonly own: Array<{ what: number; body: Buffer }> = [];
  readonly controlBytes: string[] = [];
  private readonly waiting = new Map<bigint, (reply: Reply) => void>();
  private unique = 1n;
  private received = Buffer.alloc(0);
  private copies: string | undefined;

  constructor(directory: string, mode: "ro" | "rw" = "rw", user?: number) {
    const root = openSync(directory, "r");
    const built = join(vmm, "build/asan/machinen-vmm");
    const program = user === undefined ? built : this.copyForAll(built);
    this.child = spawn(program, ["serve-mount", mode], {
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe", root],
      // The leak checker traces threads, which the server may not.
      env: { ASAN_OPTIONS: "detect_leaks=0" },
      ...(user === undefined ? {} : { uid: user, gid: user }),
    });
    closeSync(root);
    this.child.stderr!.on("data", (chunk) => {
      this.stderr += chunk;
    });
    this.data = this.child.stdio[3] as Socket;
    this.control = this.child.stdio[4] as Socket;
    this.data.on("data", (chunk: Buffer) => this.take(chunk));
    this.control.on("data", (chunk: Buffer) => this.controlBytes.push(chunk.toString()));
    for (const socket of [this.data, this.control]) socket.on("error", () => {});
    this.child.once("exit", () => {
      if (this.copies) rmSync(this.copies, { recursive: true });
      for (const answer of this.waiting.values()) answer({ error: -1, body: Buffer.alloc(0) });
    });
  }

  /** Another user need not be able to enter the directory of this checkout. */
  private copyForAll(program: string): string {
    this.copies = mkdtempSync(join(tmpdir(), "machinen-serve-"));
    chmodSync(this.copies, 0o755);
    const copy = join(this.copies, "machinen-vmm");
    copyFileSync(program, copy);
    chmodSync(copy, 0o755);
    return copy;
  }

  private take(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    while (this.received.length >= 16 && this.received.length >= this.received.readUInt32LE(0)) {
      const message = this.received.subarray(0, this.received.readUInt32LE(0));
      this.received = this.received.subarray(message.length);
      const unique = message.readBigUInt64LE(8);
      const [error, body] = [message.readInt32LE(4), Buffer.from(message.subarray(16))];
      if (unique === 0n) this.own.push({ what: error, body });
      this.waiting.get(unique)?.({ error: Math.abs(error), body });
      this.waiting.delete(unique);
    }
  }

  raw(bytes: Buffer): void {
    this.data.write(bytes);
  }

  send(opcode: number, node: bigint | number, body: Buffer, unique = 0n): void {
    const header = Buffer.alloc(40);
    header.writeUInt32LE(40 + body.length, 0);
    header.writeUInt32LE(opcode >>> 0, 4);
    header.writeBigUInt64LE(unique, 8);
    header.writeBigUInt64LE(BigInt(node), 16);
    this.raw(Buffer.concat([header, body]));
  }

  ask(opcode: number, node: bigint | number, ...parts: Array<Buffer | string>): Promise<Reply> {
    const unique = this.unique++;
    const body = Buffer.concat(
      parts.map((part) => (typeof part === "string" ? Buffer.from(`${part}\0`) : part)),
    );
    return new Promise((resolve) => {
      this.waiting.set(unique, resolve);
      this.send(opcode, node, body, unique);
    });
  }

  hello(state: Buffer = Buffer.alloc(0)): void {
    this.send(op.hello, 0, state);
  }

  async lookup(node: bigint | number, name: string): Promise<bigint> {
    const { error, body } = await this.ask(op.lookup, node, name);
    if (error !== 0) throw new Error(`lookup of ${name}: errno ${error}`);
    return body.readBigUInt64LE(0);
  }

  /** Whether it ended by itself; a crash or a sanitizer's verdict is none. */
  async ended(): Promise<number> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      await once(this.child, "exit");
    }
    return this.child.exitCode ?? -1;
  }

  async stop(): Promise<void> {
    this.data.destroy();
    this.control.destroy();
    await this.ended();
  }
}

/** Numbers one after the other, each of so many bytes. */
export function words(...numbers: Array<[bytes: 2 | 4 | 8, value: number | bigint]>): Buffer {
  return Buffer.concat(
    numbers.map(([bytes, value]) => {
      const out = Buffer.alloc(8);
      out.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
      return out.subarray(0, bytes);
    }),
  );
}

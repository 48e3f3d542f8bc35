import type { Readable, Writable } from "node:stream";
import { SandboxError } from "../errors.ts";
import type { VmHandle } from "../machine/vm-handle.ts";
import { ByteRing } from "./byte-ring.ts";

/** What can be multiplexed: a machine, a local PTY, a session in a guest. */
export interface SandboxStreams {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  resize?(cols: number, rows: number): void;
}

export interface SandboxEntry {
  id: string;
  /** What was added. Typed as a machine, which it mostly is; a PTY or session has only its streams. */
  vm: VmHandle;
  /** The last output, at most `scrollbackBytes`; copied whenever it is asked for. Setting it replaces it. */
  scrollback: Buffer;
  readonly addedAt: number;
}

/** Called with each piece of a sandbox's output. */
export type OnOutputListener = (chunk: Buffer, source: "stdout" | "stderr") => void;

const DEFAULT_SCROLLBACK_BYTES = 64 * 1024;

interface Item extends SandboxEntry {
  listeners: Set<OnOutputListener>;
  release(): void;
}

/** Live sandboxes by id: their streams, who listens, and what they said last. */
export class Sandboxes {
  /** Bytes of output kept per sandbox. */
  readonly scrollbackBytes: number;
  private readonly items = new Map<string, Item>();

  constructor(opts: { scrollbackBytes?: number } = {}) {
    this.scrollbackBytes = opts.scrollbackBytes ?? DEFAULT_SCROLLBACK_BYTES;
  }

  /** Its output is read from now on. @throws {SandboxError} SANDBOX_ID_DUPLICATE */
  add(id: string, vm: SandboxStreams): void {
    if (this.items.has(id)) {
      throw new SandboxError("SANDBOX_ID_DUPLICATE", `there is a sandbox ${JSON.stringify(id)}`);
    }
    const ring = new ByteRing(this.scrollbackBytes);
    const listeners = new Set<OnOutputListener>();
    const record = (source: "stdout" | "stderr") => (data: Buffer | string) => {
      const chunk = typeof data === "string" ? Buffer.from(data) : data;
      ring.write(chunk);
      for (const listener of [...listeners]) listener(chunk, source);
    };
    const onStdout = record("stdout");
    const onStderr = record("stderr");
    // Both names may stand for one stream: a PTY has no other.
    const merged = vm.stderr === vm.stdout;
    vm.stdout.on("data", onStdout);
    if (!merged) vm.stderr.on("data", onStderr);
    // A sandbox that ends while someone types into it must not end this program.
    const streams = new Set([vm.stdin, vm.stdout, vm.stderr]);
    for (const stream of streams) stream.on("error", ignore);
    this.items.set(id, {
      id,
      vm: vm as VmHandle,
      addedAt: Date.now(),
      get scrollback() {
        return ring.read();
      },
      set scrollback(bytes) {
        ring.clear();
        ring.write(bytes);
      },
      listeners,
      release() {
        vm.stdout.off("data", onStdout);
        vm.stderr.off("data", onStderr);
        listeners.clear();
      },
    });
  }

  /** Forget a sandbox and its listeners; it goes on running. Does nothing when the id is unknown. */
  remove(id: string): void {
    this.items.get(id)?.release();
    this.items.delete(id);
  }

  /** In the order in which they were added. */
  list(): Array<{ id: string; addedAt: number }> {
    return [...this.items.values()].map(({ id, addedAt }) => ({ id, addedAt }));
  }

  get(id: string): SandboxEntry | undefined {
    return this.items.get(id);
  }

  /** Write to a sandbox's input; false when the id is unknown or its input is closed. */
  send(id: string, data: string | Buffer): boolean {
    const stdin = this.items.get(id)?.vm.stdin;
    if (!stdin?.writable) return false;
    stdin.write(data);
    return true;
  }

  /** Hear what comes from now on. Returns how to stop. @throws {SandboxError} SANDBOX_ID_UNKNOWN */
  onOutput(id: string, fn: OnOutputListener): () => void {
    const item = this.items.get(id);
    if (item === undefined) throw unknownSandbox(id);
    // A wrapper of its own, so that the same function may listen twice.
    const listener: OnOutputListener = (chunk, source) => fn(chunk, source);
    item.listeners.add(listener);
    return () => item.listeners.delete(listener);
  }
}

export function unknownSandbox(id: string): SandboxError {
  return new SandboxError("SANDBOX_ID_UNKNOWN", `there is no sandbox ${JSON.stringify(id)}`);
}

// Stays on after removal: an error that comes late finds no other listener.
function ignore(): void {}

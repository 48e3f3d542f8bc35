import type { Writable } from "node:stream";
import { DETACH_HOLD_MS, DetachKey } from "./detach-key.ts";
import type { Sandboxes, SandboxStreams } from "./sandboxes.ts";

export interface AttachmentOptions {
  sandboxes: Sandboxes;
  /** A sandbox that is there. */
  id: string;
  /** The terminal's input; only its raw mode is touched. */
  input: NodeJS.ReadableStream;
  /** The terminal; without one the output is somebody else's to show. */
  output?: Writable;
  /** Put the terminal into raw mode until the end. */
  rawTty: boolean;
  /** Tell the sandbox when the terminal's size changes. */
  forwardResize: boolean;
  /** Gets what the sandbox gets. */
  onSent?(bytes: Buffer): void;
  /** The control byte that detaches when it is typed twice. Default Ctrl-]. */
  detachKey?: number;
}

type MaybeTty = { isTTY?: boolean; isRaw?: boolean; setRawMode?(raw: boolean): unknown };
type MaybeSized = { columns?: number; rows?: number };

/** A terminal joined with one sandbox, from attach to detach. */
export class Attachment {
  readonly id: string;
  private readonly options: AttachmentOptions;
  private readonly detachKey: DetachKey;
  private readonly endings: Array<() => void> = [];
  private holdTimer: NodeJS.Timeout | undefined;

  constructor(options: AttachmentOptions) {
    this.options = options;
    this.id = options.id;
    this.detachKey = new DetachKey(options.detachKey);
    if (options.output) this.endings.push(this.show(options.output));
    if (options.rawTty) this.endings.push(enterRawMode(options.input as MaybeTty));
    if (options.forwardResize) this.endings.push(this.followSize());
  }

  /**
   * Typed bytes, for the sandbox. Once the detach keys were typed the attachment has ended, and
   * what was typed after them is returned.
   */
  feed(bytes: Buffer): Buffer | undefined {
    clearTimeout(this.holdTimer);
    const { forward, detach, rest } = this.detachKey.feed(bytes);
    this.send(forward);
    if (detach) {
      this.end();
      return rest;
    }
    if (this.detachKey.held) {
      this.holdTimer = setTimeout(() => this.send(this.detachKey.flush()), DETACH_HOLD_MS);
    }
    return undefined;
  }

  /** Give the terminal back as it was. */
  end(): void {
    clearTimeout(this.holdTimer);
    for (const ending of this.endings.splice(0).reverse()) ending();
  }

  private send(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.options.sandboxes.send(this.id, bytes);
    this.options.onSent?.(bytes);
  }

  /** A slow terminal slows the sandbox down, as it would outside. */
  private show(output: Writable): () => void {
    const { sandboxes } = this.options;
    const vm = sandboxes.get(this.id)?.vm;
    const streams = vm === undefined ? [] : [...new Set([vm.stdout, vm.stderr])];
    let waiting = false;
    const go = () => {
      waiting = false;
      output.off("drain", go).off("close", go);
      for (const stream of streams) stream.resume();
    };
    const stop = sandboxes.onOutput(this.id, (chunk) => {
      if (output.write(chunk) || waiting) return;
      waiting = true;
      output.on("drain", go).on("close", go);
      for (const stream of streams) stream.pause();
    });
    return () => {
      stop();
      if (waiting) go();
    };
  }

  private followSize(): () => void {
    const tell = () => {
      const { columns, rows } = (this.options.output ?? {}) as MaybeSized;
      const vm: SandboxStreams | undefined = this.options.sandboxes.get(this.id)?.vm;
      if (columns && rows) vm?.resize?.(columns, rows);
    };
    tell();
    process.on("SIGWINCH", tell);
    return () => void process.off("SIGWINCH", tell);
  }
}

/** Also at exit: a shell that inherits a raw terminal is unusable. */
function enterRawMode(input: MaybeTty): () => void {
  if (input.isTTY !== true || input.setRawMode === undefined) return () => {};
  const before = input.isRaw === true;
  const leave = () => void input.setRawMode?.(before);
  input.setRawMode(true);
  process.once("exit", leave);
  return () => {
    process.off("exit", leave);
    leave();
  };
}

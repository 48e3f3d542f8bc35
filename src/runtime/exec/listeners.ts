import type { Socket } from "node:net";

export type Listener = (chunk: Buffer) => unknown;

/**
 * Hands output to listeners, one piece after the other. While a listener's promise is pending nothing is read from
 * the guest: what the command prints meanwhile fills the buffers on the way, which are bounded, and then it waits.
 */
export class Listeners {
  private readonly socket: Socket;
  private readonly failed: (error: unknown) => void;
  /** Settles when all that was handed on has been taken; absent when it has. */
  private pending: Promise<unknown> | undefined;
  private over = false;

  /** `failed` is told what a listener's promise was rejected with. */
  constructor(socket: Socket, failed: (error: unknown) => void) {
    this.socket = socket;
    this.failed = failed;
  }

  tell(listener: Listener, chunk: Buffer): void {
    if (this.pending) this.waitFor(this.pending.then(() => this.over || listener(chunk)));
    else {
      const answer = listener(chunk);
      if (isPromise(answer)) this.waitFor(answer);
    }
  }

  /** Call `next` once everything has been taken: at once, or never when a listener fails. */
  afterAll(next: () => void): void {
    if (this.pending) this.pending.then(next, () => {});
    else next();
  }

  /** Nobody is told anything any more. */
  end(): void {
    this.over = true;
  }

  private waitFor(answer: PromiseLike<unknown>): void {
    this.socket.pause();
    const taken = Promise.resolve(answer);
    this.pending = taken;
    taken.then(() => {
      if (this.pending !== taken) return;
      this.pending = undefined;
      this.socket.resume();
    }, this.failed);
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined | null)?.then === "function";
}

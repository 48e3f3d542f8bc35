/** Ctrl-] : typed twice in a row it means "let me out". */
const GS = 0x1d;

/**
 * How long a single Ctrl-] may be kept back. Programs use it (vim's tags, telnet's escape), so it
 * must reach them; but sent at once, the first of the two would be left typed in the guest, where
 * readline takes it for a command that swallows the next key.
 */
export const DETACH_HOLD_MS = 300;

export interface DetachKeyResult {
  /** For the sandbox. */
  forward: Buffer;
  detach: boolean;
  /** What followed the second Ctrl-] in the same chunk. */
  rest: Buffer;
}

/** Finds two Ctrl-] in a row in typed bytes. Pure: whoever feeds it also keeps the time. */
export class DetachKey {
  private readonly key: number;
  private readonly kept: Buffer;
  /** A Ctrl-] has been kept back: call `flush` when nothing is typed for `DETACH_HOLD_MS`. */
  held = false;
  /** The last byte typed was a Ctrl-], kept back or not. */
  private primed = false;

  /** Another control byte can take the place of Ctrl-]. */
  constructor(key = GS) {
    this.key = key;
    this.kept = Buffer.of(key);
  }

  feed(bytes: Buffer): DetachKeyResult {
    const first = this.held ? Buffer.concat([this.kept, bytes]) : bytes;
    const start = this.held ? 1 : 0;
    this.held = false;
    let primed = this.primed;
    for (let at = start; at < first.length; at++) {
      if (first[at] !== this.key) {
        const next = first.indexOf(this.key, at);
        primed = false;
        if (next === -1) break;
        at = next - 1;
      } else if (primed) {
        this.primed = false;
        // The one before may have been forwarded by `flush` already: then there is none to drop.
        const forward = first.subarray(0, Math.max(0, at - 1));
        return { forward, detach: true, rest: first.subarray(at + 1) };
      } else {
        primed = true;
      }
    }
    this.primed = primed;
    this.held = primed && first.length > 0;
    const forward = this.held ? first.subarray(0, -1) : first;
    return { forward, detach: false, rest: EMPTY };
  }

  /** What was kept back and must go to the sandbox now. A second Ctrl-] still detaches. */
  flush(): Buffer {
    if (!this.held) return EMPTY;
    this.held = false;
    return this.kept;
  }
}

const EMPTY = Buffer.alloc(0);

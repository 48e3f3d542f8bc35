import { constants } from "node:os";
import { PassThrough, Writable } from "node:stream";
import type { OpenSessionOptions, SessionHandle } from "../host/host.ts";
import { ByteRing } from "./byte-ring.ts";
import { bootPty, type PtyBootOptions, type PtyVmHandle } from "./pty.ts";

const RING_BYTES = 1 << 20;

/** A program on a PTY of this host that several clients may watch, as the agent keeps one in a guest. */
export class LocalSession {
  readonly pty: PtyVmHandle;
  ended = false;
  /** How it ended, as a shell counts: 128 and the signal's number when one ended it. */
  status: number | undefined;
  typedInto = false;
  private readonly ring = new ByteRing(RING_BYTES);
  private readonly viewers = new Set<PassThrough>();
  private readonly full = new Set<PassThrough>();
  private size: { cols: number; rows: number };

  /** `screen`: what the program is to look as if it had written. */
  constructor(options: PtyBootOptions & { cols: number; rows: number }, screen?: Buffer) {
    this.size = { cols: options.cols, rows: options.rows };
    if (screen) this.ring.write(screen);
    this.pty = bootPty(options);
    this.pty.stdout.on("data", (chunk: Buffer) => this.output(chunk));
    void this.pty.wait().then(({ code, signal }) => {
      this.ended = true;
      this.status = code ?? 128 + (signal ? constants.signals[signal] : 0);
    });
    // Later than its end, when a client is behind: what it wrote last comes first.
    this.pty.stdout.once("end", () => {
      for (const client of this.viewers) client.end();
    });
  }

  /** The last MiB of output. */
  get screen(): Buffer {
    return this.ring.read();
  }

  get cols(): number {
    return this.size.cols;
  }

  get rows(): number {
    return this.size.rows;
  }

  get clients(): number {
    return this.viewers.size;
  }

  attach(options: OpenSessionOptions): SessionHandle {
    const stdout = new PassThrough();
    const bytes = this.screen;
    if (bytes.length > 0) options.onReplay?.({ ...this.size, bytes, again: false });
    this.viewers.add(stdout);
    this.resize(options.cols, options.rows);
    let detach: (reason: Error) => void = () => {};
    const detached = new Promise<never>((_, reject) => {
      detach = reject;
    });
    detached.catch(() => {});
    return {
      pid: this.pty.pid,
      stdin: new Writable({
        write: (chunk, _encoding, done) => {
          this.typedInto = true;
          // Done when the program has it: whoever writes sees what it leaves unread.
          if (this.ended) done();
          else this.pty.stdin.write(chunk, () => done());
        },
      }),
      stdout,
      stderr: stdout,
      resize: (cols, rows) => this.resize(cols, rows),
      wait: () => Promise.race([this.pty.wait(), detached]),
      close: () => {
        this.viewers.delete(stdout);
        this.drained(stdout);
        detach(new Error("closed"));
      },
    };
  }

  private resize(cols: number, rows: number): void {
    this.size = { cols, rows };
    if (!this.ended) this.pty.resize(cols, rows);
  }

  private output(chunk: Buffer): void {
    this.ring.write(chunk);
    for (const client of this.viewers) {
      if (client.write(chunk)) continue;
      this.full.add(client);
      this.pty.stdout.pause();
      client.once("drain", () => this.drained(client));
    }
  }

  /** The program goes on when the last of those that are behind has caught up, or left. */
  private drained(client: PassThrough): void {
    this.full.delete(client);
    if (this.full.size === 0) this.pty.stdout.resume();
  }
}

import type { Socket } from "node:net";
import { Readable, type Writable } from "node:stream";
import { ExecError } from "../errors.ts";
import type { OpenSessionOptions, SessionHandle } from "../host/host.ts";
import { type Ending, readFrames } from "./conversation.ts";
import { FrameInput } from "./frame-input.ts";
import type { DataKind } from "./frame-parser.ts";
import { resizeFrame } from "./requests.ts";

type Replay = NonNullable<OpenSessionOptions["onReplay"]>;

/** Live output or a piece of replay that waits until what came before it has been read. */
type Pending = { live: Buffer } | { replay: Parameters<Replay>[0] };

/** One attached client of a session in the guest. */
export class SessionClient implements SessionHandle {
  pid = 0;
  readonly stdin: Writable;
  readonly stdout: Readable;
  private readonly socket: Socket;
  private readonly onReplay: Replay | undefined;
  private readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  private settle!: (ending: Ending) => void;
  private readonly pending: Pending[] = [];
  private blocked = false;
  private waking = false;
  private over = false;
  private replaySize = { cols: 0, rows: 0 };
  private replays = 0;
  private replayBegins = false;

  /** Resolves when the agent has said that the session is there. */
  static open(socket: Socket, onReplay?: Replay): Promise<SessionHandle> {
    return new Promise((resolve, reject) => {
      const client = new SessionClient(socket, onReplay);
      readFrames(
        socket,
        {
          started: (pid) => {
            client.pid = pid;
            resolve(client);
          },
          size: (cols, rows) => client.beginReplay(cols, rows),
          data: (kind, bytes) => client.receive(kind, bytes),
        },
        (ending) => {
          client.finish(ending);
          // Without effect once the session has started.
          if ("error" in ending) reject(ending.error);
          else resolve(client);
        },
      );
    });
  }

  private constructor(socket: Socket, onReplay?: Replay) {
    this.socket = socket;
    this.onReplay = onReplay;
    this.stdin = new FrameInput(Promise.resolve(socket));
    // No read-ahead: what the reader has not taken stays in the socket, and so in the guest.
    this.stdout = new Readable({ highWaterMark: 1, read: () => this.wanted() });
    this.exited = new Promise((resolve, reject) => {
      this.settle = (ending) =>
        "error" in ending ? reject(ending.error) : resolve({ code: ending.code, signal: null });
    });
    this.exited.catch(() => {});
  }

  get stderr(): Readable {
    return this.stdout;
  }

  resize(cols: number, rows: number): void {
    if (!this.socket.destroyed) this.socket.write(resizeFrame(cols, rows));
  }

  wait(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    return this.exited;
  }

  close(): void {
    this.socket.destroy();
    this.finish({ error: new ExecError("EXEC_PROTOCOL", "detached from the session") });
  }

  private beginReplay(cols: number, rows: number): void {
    this.replaySize = { cols, rows };
    this.replays++;
    this.replayBegins = true;
  }

  private receive(kind: DataKind, bytes: Buffer): void {
    if (kind !== "B") {
      this.deliver({ live: bytes });
      return;
    }
    const again = this.replayBegins && this.replays > 1;
    this.replayBegins = false;
    this.deliver({ replay: { ...this.replaySize, bytes, again } });
  }

  /** In order: a second replay must not overtake live output that has not been read. */
  private deliver(item: Pending): void {
    if (this.blocked) this.pending.push(item);
    else this.handOn(item);
  }

  private handOn(item: Pending): void {
    if ("replay" in item) this.onReplay?.(item.replay);
    else if (!this.stdout.push(item.live)) {
      this.blocked = true;
      this.socket.pause();
    }
  }

  /** Called just before the reader gets what it waits for: a replay must come after that. */
  private wanted(): void {
    if (!this.blocked || this.waking) return;
    this.waking = true;
    process.nextTick(() => this.unblock());
  }

  private unblock(): void {
    this.waking = false;
    this.blocked = false;
    while (!this.blocked) {
      const item = this.pending.shift();
      if (item === undefined) break;
      this.handOn(item);
    }
    if (this.blocked) return;
    if (this.over) this.stdout.push(null);
    else this.socket.resume();
  }

  private finish(ending: Ending): void {
    if (this.over) return;
    this.over = true;
    this.settle(ending);
    if (!this.blocked) this.stdout.push(null);
  }
}

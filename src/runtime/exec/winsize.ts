import type { Socket } from "node:net";
import { WinsizeError } from "../errors.ts";
import { dial } from "./dial.ts";

export interface VsockWinsizeOptions {
  /** How long connecting is retried. Default 10 s. */
  timeoutMs?: number;
  /** Longest pause between two attempts. Default 250. */
  retryMs?: number;
}

/** Tells the guest the window size of its console. */
export class VsockWinsize {
  private lastSent = "";

  private constructor(private readonly socket: Socket) {}

  /** @throws {WinsizeError} WINSIZE_AGENT_UNAVAILABLE (retryable) */
  static async connect(udsPath: string, opts: VsockWinsizeOptions = {}): Promise<VsockWinsize> {
    try {
      const { timeoutMs = 10_000, retryMs = 250 } = opts;
      return new VsockWinsize(await dial(udsPath, { timeoutMs, retryMs }));
    } catch (cause) {
      throw new WinsizeError(
        "WINSIZE_AGENT_UNAVAILABLE",
        `no connection to the guest's window size service: ${(cause as Error).message}`,
        { retryable: true, cause },
      );
    }
  }

  /** Does nothing when the size is the last one sent. */
  send(cols: number, rows: number): void {
    const line = `${Math.trunc(cols)} ${Math.trunc(rows)}\n`;
    if (line === this.lastSent || this.socket.destroyed || !this.socket.writable) return;
    this.lastSent = line;
    this.socket.write(line);
  }

  close(): void {
    this.socket.end();
  }
}

import type { Socket } from "node:net";
import { FilesError } from "../errors.ts";
import { readFrames } from "../exec/conversation.ts";
import { DialError, dialAndAsk } from "../exec/dial.ts";
import { Complaints, type Outcome } from "./outcome.ts";

export interface TransferOptions {
  /** How long the guest may take to answer; until then failing connections are retried. Default 5 s. */
  timeoutMs?: number;
  /** Longest pause between two attempts. Default 250 ms. */
  retryMs?: number;
  /** Ends the transfer; files that are not whole are not left behind. The call rejects with its reason. */
  signal?: AbortSignal;
}

/** A request the guest has taken. */
export interface GuestSide {
  socket: Socket;
  /** Rejects when the guest refuses or the connection is lost first. */
  ended: Promise<Outcome>;
}

const CONNECT_TIMEOUT_MS = 5000;
const RETRY_MS = 250;

/** @throws {FilesError} FILES_AGENT_UNAVAILABLE (retryable) */
export async function askGuest(
  udsPath: string,
  request: Buffer,
  opts: TransferOptions,
  onOutput: (bytes: Buffer) => void = () => {},
): Promise<GuestSide> {
  const { timeoutMs = CONNECT_TIMEOUT_MS, retryMs = RETRY_MS, signal } = opts;
  let socket: Socket;
  try {
    socket = await dialAndAsk(udsPath, request, { timeoutMs, retryMs, signal });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (!(error instanceof DialError)) throw error;
    throw new FilesError(
      "FILES_AGENT_UNAVAILABLE",
      `the guest's file service is not there: ${error.message}`,
      { retryable: true, cause: error.cause },
    );
  }
  const complaints = new Complaints();
  const ended = new Promise<Outcome>((resolve, reject) => {
    readFrames(
      socket,
      { data: (kind, bytes) => (kind === "E" ? complaints.add(bytes) : onOutput(bytes)) },
      (ending) => {
        if ("code" in ending) resolve({ code: ending.code, said: complaints.text() });
        else {
          const message = `the transfer stopped: ${ending.error.message}`;
          reject(new FilesError("FILES_TRANSFER_FAILED", message, { cause: ending.error }));
        }
      },
    );
  });
  ended.catch(() => {});
  return { socket, ended };
}

export type Kind = "missing" | "directory" | "file" | "link" | "other";

/** What a path in the guest is: itself, and where its links lead. */
export async function statInGuest(
  udsPath: string,
  request: Buffer,
  opts: TransferOptions,
): Promise<{ own: Kind; meant: Kind }> {
  let answer = "";
  const { ended } = await askGuest(udsPath, request, opts, (bytes) => {
    answer = (answer + bytes.toString("latin1")).slice(0, 100);
  });
  await ended;
  const match = /^(missing|directory|file|link|other) (missing|directory|file|other)\n$/.exec(
    answer,
  );
  if (!match)
    throw new FilesError("FILES_TRANSFER_FAILED", "the guest does not say what that path is");
  return { own: match[1] as Kind, meant: match[2] as Kind };
}

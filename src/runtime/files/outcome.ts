import { FilesError } from "../errors.ts";
import { printable } from "../printable.ts";

/** How one side of a transfer ended: 0 complete, 1 all but some members, anything else: it stopped. */
export interface Outcome {
  code: number;
  /** What it said: a line for each member that is missing. */
  said: string;
}

/** The most a side's complaints may take; they name the first members only anyway. */
const MAX_SAID_BYTES = 64 * 1024;

const MAX_LINES = 45;

/** Keeps what a side says, up to a limit. */
export class Complaints {
  private readonly chunks: Buffer[] = [];
  private room = MAX_SAID_BYTES;

  add(chunk: Buffer): void {
    const kept = chunk.subarray(0, this.room);
    this.room -= kept.length;
    if (kept.length > 0) this.chunks.push(Buffer.from(kept));
  }

  text(): string {
    return Buffer.concat(this.chunks).toString("utf8");
  }
}

/** @throws {FilesError} FILES_TRANSFER_FAILED unless both sides have made everything. */
export function checkOutcome(source: Outcome, target: Outcome): void {
  if (source.code === 0 && target.code === 0) return;
  // When the source gave up, what the target says is only its echo.
  const telling = stopped(source) && source.said !== "" ? [source] : [source, target];
  const lines = telling
    .flatMap(({ said }) => said.split("\n"))
    .map(printable)
    .filter((line) => line !== "")
    .slice(0, MAX_LINES);
  const what =
    stopped(source) || stopped(target)
      ? "the transfer stopped; what had been copied was left"
      : "not everything was copied";
  const reason = lines.length > 0 ? lines.join("\n") : killedReason(source, target);
  throw new FilesError("FILES_TRANSFER_FAILED", `${what}:\n${reason}`);
}

const stopped = ({ code }: Outcome): boolean => code > 1;

function killedReason(source: Outcome, target: Outcome): string {
  return `one side was ended (exit status ${source.code} and ${target.code})`;
}

import { createWriteStream } from "node:fs";
import { PassThrough, Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { ErrorCode, ProvisionError } from "../errors.ts";
import { ask, readFrames } from "../exec/conversation.ts";
import { execRequest } from "../exec/requests.ts";
import type { OnLog } from "../log.ts";

/**
 * PID 1 is a static program, so it can archive a guest that has no tar, or one without extended attributes
 * (guest/root-archive.h). Its file is not in the guest's root any more, but it can still be run.
 */
const COMMAND = "exec /proc/1/exe archive-root";
/** Much of an image is small files: better ones cost more time than they save space. */
const GZIP_LEVEL = 4;
const SHOWN_STDERR_BYTES = 2000;
const CONNECT_MS = 30_000;

export interface GuestArchive {
  /** Exec socket of the machine. */
  socketPath: string;
  /** File to write; it is there already. */
  path: string;
  compress: boolean;
  /** Members to go before the guest's. */
  prefix: Buffer;
  /** Most bytes of archive, unpacked. */
  limitBytes: number;
  onLog?: OnLog;
  signal: AbortSignal;
}

/** Write the guest's root file system to a file, in a stream: whatever its size, little of it is in memory. */
export async function archiveGuest(request: GuestArchive): Promise<void> {
  const { path, compress, prefix, limitBytes, signal } = request;
  const guest = await guestStream(request);
  const whole = Readable.from(
    (async function* () {
      yield prefix;
      yield* guest;
    })(),
    { objectMode: false },
  );
  const out = createWriteStream(path, { flags: "r+" });
  const press = compress ? createGzip({ level: GZIP_LEVEL }) : new PassThrough();
  try {
    await pipeline(whole, limit(limitBytes), press, out, { signal });
  } catch (error) {
    guest.destroy();
    throw spaceError(error, path);
  }
}

/** The archive as the guest gives it; an error instead of an end when it is not whole. */
async function guestStream({ socketPath, onLog, signal }: GuestArchive): Promise<Readable> {
  const patience = { timeoutMs: CONNECT_MS, retryMs: 250, signal };
  const socket = await ask(socketPath, execRequest(COMMAND), patience).catch((error: Error) => {
    throw failure(error, "");
  });
  let words = "";
  const stream = new Readable({
    read: () => void socket.resume(),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  readFrames(
    socket,
    {
      data: (kind, bytes) => {
        if (kind === "E") {
          words = `${words}${bytes}`.slice(-SHOWN_STDERR_BYTES);
          onLog?.({ source: "exec-stderr", cmd: COMMAND, chunk: bytes });
        } else if (!stream.push(bytes)) socket.pause();
      },
    },
    (ending) => {
      if ("code" in ending && ending.code === 0) stream.push(null);
      else stream.destroy(failure("error" in ending ? ending.error : undefined, words));
    },
  );
  return stream;
}

function failure(cause: Error | undefined, words: string): ProvisionError {
  const reason = words.trim() || cause?.message || "it ended without saying why";
  return new ProvisionError(
    ErrorCode.PROVISION_INSTALL_HOOK_FAILED,
    `the guest's files could not be archived: ${reason}`,
    { cause },
  );
}

function limit(limitBytes: number): Transform {
  let total = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      total += chunk.length;
      if (total <= limitBytes) return done(null, chunk);
      const mib = Math.floor(limitBytes / 1024 / 1024);
      done(
        new ProvisionError(
          ErrorCode.PROVISION_DISK_TOO_SMALL,
          `the image is larger than ${mib} MiB (scratchDiskSizeBytes)`,
        ),
      );
    },
  });
}

function spaceError(error: unknown, path: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ENOSPC") return error;
  return new ProvisionError(
    ErrorCode.PROVISION_DISK_TOO_SMALL,
    `there is no room for the image: make some on the disk that holds ${path}`,
    { cause: error },
  );
}

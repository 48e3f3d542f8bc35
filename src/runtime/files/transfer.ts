import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FilesError } from "../errors.ts";
import { FrameInput } from "../exec/frame-input.ts";
import { startPacking, startUnpacking } from "./archive-process.ts";
import { askGuest, type TransferOptions } from "./guest-side.ts";
import { checkOutcome, type Outcome } from "./outcome.ts";
import { pullRequest, pushRequest } from "./requests.ts";

const COMPLETE: Outcome = { code: 0, said: "" };

export interface TreeOptions extends TransferOptions {
  /** Leave out what these match, as `tar --exclude` does. */
  excludes?: readonly string[];
  /** Keep owner and group. Default false: the files become the receiver's own. */
  owner?: boolean;
}

/** `work`, or the reason of the signal; `stop` is called when it comes. */
async function abortable<T>(
  signal: AbortSignal | undefined,
  stop: () => void,
  work: Promise<T>,
): Promise<T> {
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    return await work;
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** Where an archive comes from: opened when the guest waits for it. */
type Source = () => { output: Readable; ended: Promise<Outcome> };

async function send(
  udsPath: string,
  guestDir: string,
  open: Source,
  opts: TreeOptions,
): Promise<void> {
  const request = pushRequest(guestDir, opts.owner ?? false);
  const { socket, ended } = await askGuest(udsPath, request, opts);
  const source = open();
  const work = async () => {
    let lost: unknown;
    // The guest may answer before it has all, when its disk is full for instance: its answer counts.
    await pipeline(source.output, new FrameInput(Promise.resolve(socket))).catch((error) => {
      lost = error;
    });
    if (lost !== undefined) {
      if (socket.destroyed) checkOutcome(COMPLETE, await ended);
      throw lost;
    }
    const outcome = await source.ended;
    if (outcome.code > 1) {
      // A half archive must not look like a whole one.
      socket.destroy();
      checkOutcome(outcome, COMPLETE);
    }
    socket.write("C\n");
    checkOutcome(outcome, await ended);
  };
  try {
    await abortable(opts.signal, () => socket.destroy(), work());
  } finally {
    socket.destroy();
  }
}

/** Send an archive; its files are made below `guestDir`. */
export async function sendArchive(
  udsPath: string,
  guestDir: string,
  archive: Readable,
  opts: TreeOptions,
): Promise<void> {
  const open = () => ({ output: archive, ended: Promise.resolve(COMPLETE) });
  await send(udsPath, guestDir, open, opts);
}

/** Send a directory's contents, or (with `name`) one file or directory under that name. */
export async function sendTree(
  udsPath: string,
  hostPath: string,
  guestDir: string,
  opts: TreeOptions & { name?: string },
): Promise<void> {
  let packing: ReturnType<typeof startPacking> | undefined;
  const open = () => {
    packing = startPacking(hostPath, opts);
    return packing;
  };
  try {
    await send(udsPath, guestDir, open, opts);
  } finally {
    packing?.child.kill();
    await packing?.ended;
  }
}

/** Write an archive of `guestPath` to `sink`, which is left open. Resolves to the guest's outcome. */
async function receive(
  udsPath: string,
  guestPath: string,
  sink: () => Writable,
  opts: TreeOptions & { name?: string },
): Promise<Outcome> {
  let to: Writable | undefined;
  const request = pullRequest(guestPath, opts.name ?? "", opts.excludes ?? []);
  const guest = await askGuest(udsPath, request, opts, (bytes) => {
    to ??= open();
    if (to.writable && !to.write(bytes)) guest.socket.pause();
  });
  const { socket, ended } = guest;
  const stop = () => socket.destroy();
  const open = () => sink().on("drain", resume).on("close", stop).on("error", stop);
  const resume = () => void socket.resume();
  try {
    return await abortable(opts.signal, stop, ended);
  } finally {
    to?.off("drain", resume).off("close", stop).off("error", stop);
  }
}

/** Write an archive of `guestPath` to `sink`, which is left open. */
export async function receiveArchive(
  udsPath: string,
  guestPath: string,
  sink: Writable,
  opts: TreeOptions & { name?: string },
): Promise<void> {
  checkOutcome(await receive(udsPath, guestPath, () => sink, opts), COMPLETE);
}

/** Make what `guestPath` holds, or (with `name`) itself under that name, below `hostDir`. */
export async function receiveTree(
  udsPath: string,
  guestPath: string,
  hostDir: string,
  opts: TreeOptions & { name?: string },
): Promise<void> {
  let unpacking: ReturnType<typeof startUnpacking> | undefined;
  let source: Outcome | undefined;
  let failure: unknown;
  try {
    source = await receive(
      udsPath,
      guestPath,
      () => {
        unpacking = startUnpacking(hostDir, opts);
        return unpacking.input;
      },
      opts,
    );
  } catch (error) {
    failure = error;
  }
  // The end of its input makes it finish; before the end of the archive, by dropping the file it is at.
  unpacking?.input.end();
  const target = (await unpacking?.ended) ?? COMPLETE;
  if (opts.signal?.aborted && failure !== undefined) throw failure;
  // It ended first, and the lost connection is our own doing.
  if (failure !== undefined && target.code > 1 && !/^the archive: cut off$/m.test(target.said)) {
    checkOutcome(COMPLETE, target);
  }
  if (failure !== undefined) throw failure;
  if (source!.code === 0 && unpacking === undefined) {
    throw new FilesError("FILES_TRANSFER_FAILED", "the guest sent no archive");
  }
  checkOutcome(source!, target);
}

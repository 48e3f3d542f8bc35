import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { FilesError } from "../errors.ts";
import { packageRoot } from "../package-root.ts";
import { Complaints, type Outcome } from "./outcome.ts";

/**
 * The program that reads or makes the files on this side. A process of its own: what comes from a guest is
 * hostile, and thousands of small files would hold up everything else here.
 */
export interface ArchiveProcess {
  child: ChildProcess;
  /** Never rejects. Resolves when it has ended and all it wrote has been read. */
  ended: Promise<Outcome>;
}

/** An archive on `output` of `path`, under `name`, or of what the directory `path` holds. */
export function startPacking(
  path: string,
  opts: { name?: string; excludes?: readonly string[] },
): ArchiveProcess & { output: Readable } {
  const name = opts.name === undefined ? [] : ["--name", opts.name];
  const process = start(["pack", ...name, ...excludeFlags(opts.excludes), path], "output");
  return { ...process, output: process.child.stdout! };
}

/** Makes the files of the archive that is written to `input`, below `directory`. */
export function startUnpacking(
  directory: string,
  opts: { owner?: boolean; excludes?: readonly string[] },
): ArchiveProcess & { input: Writable } {
  const owner = opts.owner ? ["--owner"] : [];
  const process = start(["unpack", ...owner, ...excludeFlags(opts.excludes), directory], "input");
  return { ...process, input: process.child.stdin! };
}

const excludeFlags = (excludes: readonly string[] = []): string[] =>
  excludes.flatMap((pattern) => ["--exclude", pattern]);

function start(args: string[], pipe: "input" | "output"): ArchiveProcess {
  const binary = join(packageRoot(), "archive", "build", "machinen-archive");
  const child = spawn(binary, args, {
    stdio: [pipe === "input" ? "pipe" : "ignore", pipe === "output" ? "pipe" : "ignore", "pipe"],
  });
  const complaints = new Complaints();
  child.stderr!.on("data", (chunk: Buffer) => complaints.add(chunk));
  // That it ended early is told by its exit status; a broken pipe adds nothing.
  child.stdin?.on("error", () => {});
  const ended = new Promise<Outcome>((resolve) => {
    child.once("error", (cause) => {
      const advice = `build it: make -C ${join(packageRoot(), "archive")}`;
      resolve({ code: 2, said: `${binary} cannot be started (${cause.message}); ${advice}` });
    });
    child.once("close", (code) => resolve({ code: code ?? 2, said: complaints.text() }));
  });
  return { child, ended };
}

/** A name no argument or path can have. @throws {FilesError} FILES_TRANSFER_FAILED */
export function checkText(...texts: readonly string[]): void {
  if (texts.some((text) => text.includes("\0"))) {
    throw new FilesError("FILES_TRANSFER_FAILED", "a path or pattern holds a NUL byte");
  }
}

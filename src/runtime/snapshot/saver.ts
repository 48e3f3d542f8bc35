import { type ChildProcess, spawn } from "node:child_process";
import { SnapshotError } from "../errors.ts";
import { collect } from "../machine/console.ts";
import { dieWithUs } from "../machine/spawn-vmm.ts";
import { resolveVmmBinary } from "../machine/vmm-binary.ts";
import { Tail } from "../tail.ts";

/** `machinen-vmm save`, writing one machine into one directory. */
export interface Saver {
  /** Resolves when everything is on disk; with `hold` the machine is still paused then. */
  saved: Promise<void>;
  /** With `hold`: what becomes of the machine. Resolves when the saver has ended. */
  finish(verdict: "quit" | "release"): Promise<void>;
  /** End it at once; the VMM then continues its guest. Resolves when it is gone. */
  abort(): Promise<void>;
}

function failure(status: string, stderr: string): SnapshotError {
  const reason = stderr.trim().split("\n").at(-1);
  return new SnapshotError(
    "SNAPSHOT_DUMP_FAILED",
    `the machine could not be saved: ${reason || `the saver ended with ${status}`}`,
  );
}

function firstLine(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const tail = new Tail(64);
    child.stdout!.on("data", (chunk: Buffer) => {
      tail.push(chunk);
      if (tail.text().includes("saved\n")) resolve();
    });
  });
}

/** The saver dies with us, so that a crash of this process never leaves a guest paused. */
export function startSaver(controlPath: string, directory: string, hold: boolean): Saver {
  const { program, args } = dieWithUs(resolveVmmBinary(), [
    "save",
    controlPath,
    directory,
    ...(hold ? ["hold"] : []),
  ]);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => {});
  const stderr = collect(child.stderr, 8192);
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(signal ?? `status ${code}`));
  });
  const succeeded = ended.then(async (status) => {
    if (status !== "status 0") throw failure(status, await stderr);
  });
  // Whoever awaits `saved` or `finish` hears of a failure; it must not also count as unhandled.
  succeeded.catch(() => {});
  const earlyEnd = succeeded.then(async () => {
    throw failure("status 0 before it was told to", await stderr);
  });
  earlyEnd.catch(() => {});
  return {
    saved: hold ? Promise.race([firstLine(child), earlyEnd]) : succeeded,
    finish: async (verdict) => {
      child.stdin.end(`${verdict}\n`);
      await succeeded;
    },
    abort: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

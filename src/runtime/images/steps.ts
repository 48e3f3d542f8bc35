import { spawn, spawnSync } from "node:child_process";
import { setImmediate as turn } from "node:timers/promises";
import { dieWithUs } from "../machine/spawn-vmm.ts";

/** A program to wait for; or nothing but a moment in which others may have their turn. */
export type Step = { program: string; args: string[] } | undefined;

export interface Outcome {
  status: number | null;
  /** The end of what it wrote to standard error, or why it could not be started. */
  words: string;
}

/** Work that can be done at once or beside other work: what it yields is done for it. */
export type Work<T> = Generator<Step, T, Outcome | undefined>;

const KEPT_WORDS = 4000;
/** Between two moments for others. */
const SLICE_MS = 10;

/** Do it while this process waits. */
export function runWork<T>(work: Work<T>): T {
  for (let next = work.next(); ; ) {
    if (next.done) return next.value;
    next = work.next(next.value && runAndWait(next.value));
  }
}

/** Do it without keeping the event loop for long. */
export async function runWorkAsync<T>(work: Work<T>): Promise<T> {
  let began = performance.now();
  for (let next = work.next(); ; ) {
    if (next.done) return next.value;
    const outcome = next.value && (await runBeside(next.value));
    if (performance.now() - began > SLICE_MS) {
      await turn();
      began = performance.now();
    }
    next = work.next(outcome);
  }
}

function runAndWait(step: NonNullable<Step>): Outcome {
  const { program, args } = dieWithUs(step.program, step.args);
  const { status, stderr, error } = spawnSync(program, args, {
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
  });
  return { status, words: error?.message ?? stderr.trim().slice(-KEPT_WORDS) };
}

function runBeside(step: NonNullable<Step>): Promise<Outcome> {
  const { program, args } = dieWithUs(step.program, step.args);
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
    let words = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      words = (words + text).slice(-KEPT_WORDS);
    });
    child.on("error", (error) => resolve({ status: null, words: error.message }));
    child.on("close", (status) => resolve({ status, words: words.trim() }));
  });
}

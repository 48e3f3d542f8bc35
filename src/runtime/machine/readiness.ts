import { setTimeout as sleep } from "node:timers/promises";
import { waitForAgent } from "../control/agent-control.ts";
import { VmmRefusal, vmmStatus, waitForMachine } from "../control/vmm-control.ts";
import { BootError, type MachinenError } from "../errors.ts";
import { killMachine } from "./end-machine.ts";
import { refusalError } from "./refusal.ts";
import { agentSocketIn } from "./run-dir.ts";
import type { StartedMachine } from "./start-machine.ts";

/** A cold boot takes seconds; a machine that is silent for this long will stay so. */
const SILENCE_MS = 120_000;
/** What PID 1 of a guest prints when its agent serves. */
export const READY_MARKER = "machinen: ready";
/** A VMM that refuses its configuration says so and ends: its words are no sign of a booting guest. */
const REFUSAL_MS = 100;
const SHOWN_TAIL_BYTES = 4096;

/** The end of what the machine has printed. */
function consoleTail(started: StartedMachine): string {
  const text = `${started.stdout.tail.text()}${started.stderr.tail.text()}`.trim();
  return text.length > SHOWN_TAIL_BYTES ? `...${text.slice(-SHOWN_TAIL_BYTES)}` : text;
}

type Failure = (reason: string) => MachinenError;

const notReady: Failure = (reason) => new BootError("BOOT_DETACHED_READINESS_FAILED", reason);
const notRestored: Failure = (reason) => new BootError("BOOT_SNAPSHOT_NOT_FOUND", reason);

async function giveUp(started: StartedMachine, reason: string, failure: Failure): Promise<never> {
  await killMachine(started.entry);
  const tail = consoleTail(started);
  throw failure(
    `${reason}${tail === "" ? "; it printed nothing" : `; its console ends with:\n${tail}`}`,
  );
}

/** What a machine that has ended started may hold its output open for ever. */
const LAST_OUTPUT_MS = 3000;

/** Wait for what a machine that has ended printed last: it may still be on its way. */
export async function outputOfEnded({ stdout, stderr }: StartedMachine): Promise<void> {
  await Promise.race([Promise.all([stdout.ended, stderr.ended]), sleep(LAST_OUTPUT_MS)]);
}

/** The end of what a machine that has ended had to say, for error messages; empty when it said nothing. */
export async function lastWords(started: StartedMachine): Promise<string> {
  await outputOfEnded(started);
  return consoleTail(started);
}

async function describeExit(started: StartedMachine): Promise<string> {
  const { code, signal } = await started.exited;
  await outputOfEnded(started);
  return `the machine ended before it was ready (${signal ?? `status ${code}`})`;
}

/**
 * Wait until a booting machine is ready: until its console shows `marker`, or without one its first byte.
 *
 * @throws {BootError} BOOT_DETACHED_READINESS_FAILED
 */
export async function waitForConsole(
  started: StartedMachine,
  marker?: string,
  silenceMs = SILENCE_MS,
): Promise<void> {
  const { stdout, stderr } = started;
  const sign = marker ? stderr.saw(marker) : Promise.race([stdout.firstByte, stderr.firstByte]);
  const timer = new AbortController();
  const first = await Promise.race([
    sign.then(() => "ready" as const),
    started.exited.then(() => "exit" as const),
    sleep(silenceMs, "silence" as const, { signal: timer.signal }).catch(() => "silence" as const),
  ]);
  timer.abort();
  if (first === "ready" && !marker) await Promise.race([started.exited, sleep(REFUSAL_MS)]);
  if (started.hasExited()) await giveUp(started, await describeExit(started), notReady);
  if (first === "silence") {
    await giveUp(started, `the machine was not ready after ${silenceMs / 1000} s`, notReady);
  }
}

const TAKEN_POLL_MS = 5;
const ANSWER_MS = 1000;

/** Wait until the VMM has taken what it was asked for and started its QEMU, or has ended and said why. */
export async function waitUntilTaken(started: StartedMachine): Promise<void> {
  const { controlPath } = started.entry;
  while (controlPath && !started.hasExited()) {
    try {
      await vmmStatus(controlPath, ANSWER_MS);
      return;
    } catch (error) {
      if (error instanceof VmmRefusal) return;
    }
    await sleep(TAKEN_POLL_MS);
  }
  await outputOfEnded(started);
}

/** The machine was ended from outside while it came up. */
export const interrupted = (reason: string): MachinenError =>
  notReady(`the machine did not come up: ${reason}`);

/** A VMM's exit status for a bad configuration, for no QEMU, and for a state it could not load. */
const REFUSALS = [2, 3];
const DAMAGED = 4;

/**
 * Wait until our VMM has a machine that boots cold in hand. One that has run and ended meanwhile was taken.
 *
 * @throws {BootError} of the option it refused, or BOOT_DETACHED_READINESS_FAILED
 */
export async function mustBeTaken(started: StartedMachine): Promise<void> {
  await waitUntilTaken(started);
  if (!started.hasExited()) return;
  const { code } = await started.exited;
  if (code === DAMAGED) await giveUp(started, await describeExit(started), notRestored);
  if (code === null || !REFUSALS.includes(code)) return;
  throw (
    refusalError(started.stderr.tail.text()) ??
    (await giveUp(started, await describeExit(started), notReady))
  );
}

/**
 * Wait until a machine that starts from a template is up. `damaged`: the state could not be loaded;
 * `refused`: the VMM or its QEMU could not even try. A machine that had its command and has ended already
 * was ready.
 *
 * @throws {BootError} BOOT_DETACHED_READINESS_FAILED when `mustLast` and it has ended
 */
export async function resumeOutcome(
  started: StartedMachine,
  mustLast: boolean,
): Promise<"ready" | "damaged" | "refused"> {
  try {
    await waitForMachine(started.entry.controlPath!, SILENCE_MS, started.hasExited);
    return "ready";
  } catch (error) {
    if (!started.hasExited()) return giveUp(started, (error as Error).message, notReady);
  }
  const { code } = await started.exited;
  if (code === DAMAGED) return "damaged";
  if (code !== null && REFUSALS.includes(code)) return "refused";
  if (mustLast) return giveUp(started, await describeExit(started), notReady);
  return "ready";
}

/**
 * Wait until a resumed machine is up and, with `request`, its agent has answered that; kills it
 * throws what `failure` makes of the reason when it never does.
 */
export async function waitForStartedAgent(
  started: StartedMachine,
  failure: Failure,
  request?: string,
): Promise<void> {
  const { runDir, controlPath } = started.entry;
  try {
    await (request === undefined
      ? waitForMachine(controlPath!, SILENCE_MS, started.hasExited)
      : waitForAgent(agentSocketIn(runDir!), SILENCE_MS, started.hasExited, request));
  } catch (error) {
    if (!started.hasExited()) return giveUp(started, (error as Error).message, failure);
    const reason = await describeExit(started);
    // That there is no QEMU says nothing of what the machine was to be made from.
    const refused = refusalError(started.stderr.tail.text());
    if (refused?.code === "BOOT_VMM_MISSING") throw refused;
    await giveUp(started, reason, failure);
  }
}

import { setTimeout as sleep } from "node:timers/promises";

/** Whoever was asked understood the request and declined it: asking again will not help. */
export class Refusal extends Error {}

const LONGEST_PAUSE_MS = 20;

/**
 * Ask until there is an answer. A VMM accepts connections before its guest is up and may reset them, so
 * every failure before the deadline but a refusal is worth another try, unless `gone` says that the machine
 * has ended. A VMM that has just been started makes its sockets within a few milliseconds: it is asked often
 * at first.
 */
export async function waitForAnswer(
  ask: (leftMs: number) => Promise<unknown>,
  deadlineMs: number,
  gone: () => boolean,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  for (let tries = 0; ; tries++) {
    try {
      await ask(Math.max(1, deadline - performance.now()));
      return;
    } catch (error) {
      if (error instanceof Refusal) throw error;
      if (gone()) throw new Error("the machine ended before its agent answered", { cause: error });
      if (performance.now() >= deadline) {
        throw new Error(`the agent did not answer within ${deadlineMs} ms`, { cause: error });
      }
    }
    await sleep(Math.max(1, Math.min(tries / 10, LONGEST_PAUSE_MS)));
  }
}

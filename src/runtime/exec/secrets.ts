import { setTimeout as sleep } from "node:timers/promises";
import { LONGEST_TIMER_MS } from "../durations.ts";
import { SecretsError } from "../errors.ts";
import { dial } from "./dial.ts";

export interface VsockSecretsOptions {
  /** How long sending is retried. Default 10 s. */
  timeoutMs?: number;
  /** Longest pause between two attempts. Default 250. */
  retryMs?: number;
}

/**
 * Hand `secrets` to the guest, which keeps them in memory. Resolves when it has taken them all. The guest skips
 * what no shell could have as a variable: names are letters, digits and underscores, no digit first.
 * Sent again from the start when the connection breaks: the same secret twice is the same secret.
 *
 * @throws {SecretsError} SECRETS_VALUE_INVALID | SECRETS_AGENT_UNAVAILABLE (retryable)
 */
async function send(
  udsPath: string,
  secrets: Record<string, string>,
  opts: VsockSecretsOptions = {},
): Promise<void> {
  const text = secretLines(secrets);
  const { timeoutMs = 10_000, retryMs = 250 } = opts;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await deliver(udsPath, text, Math.max(1, deadline - performance.now()), retryMs);
    } catch (cause) {
      if (performance.now() + retryMs < deadline) await sleep(retryMs);
      else {
        throw new SecretsError(
          "SECRETS_AGENT_UNAVAILABLE",
          `the guest does not take secrets: ${(cause as Error).message}`,
          { retryable: true, cause },
        );
      }
    }
  }
}

/** A name or value with a line break would be another secret, and so would a name with an equals sign. */
function secretLines(secrets: Record<string, string>): string {
  return Object.entries(secrets)
    .map(([key, value]) => {
      if (/[=\r\n\0]/.test(key)) {
        throw new SecretsError(
          "SECRETS_VALUE_INVALID",
          `${JSON.stringify(key)} is no variable name`,
        );
      }
      if (/[\r\n\0]/.test(value)) {
        throw new SecretsError("SECRETS_VALUE_INVALID", `the value of ${key} is not a single line`);
      }
      return `${key}=${value}\n`;
    })
    .join("");
}

async function deliver(
  path: string,
  text: string,
  timeoutMs: number,
  retryMs: number,
): Promise<void> {
  const socket = await dial(path, { timeoutMs, retryMs });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => socket.destroy(new Error(`not taken within ${Math.round(timeoutMs)} ms`)),
      Math.min(timeoutMs, LONGEST_TIMER_MS),
    );
    socket.once("error", reject).once("close", (failed) => {
      clearTimeout(timer);
      if (!failed) resolve();
    });
    socket.resume();
    socket.end(text);
  });
}

/** The guest's secrets service behind a unix socket. */
export const VsockSecrets = { send } as const;

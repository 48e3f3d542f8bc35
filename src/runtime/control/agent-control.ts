import { setTimeout as sleep } from "node:timers/promises";
import { requestLine } from "./line-client.ts";

/** The agent understood the request and declined it: asking again will not help. */
export class AgentRefusal extends Error {}

/** The agent's control service in the guest (docs/protocol.md, section 3.2). */
export async function agentRequest(
  socketPath: string,
  request: string,
  timeoutMs = 5000,
): Promise<string> {
  const { line } = await requestLine(socketPath, request, timeoutMs);
  if (line === "OK") return "";
  if (line.startsWith("OK ")) return line.slice(3);
  throw new AgentRefusal(
    `the agent refused ${request.split(" ")[0]}: ${line.replace(/^ERR /, "")}`,
  );
}

const LONGEST_PAUSE_MS = 20;

/**
 * Ask until the agent answers. The VMM accepts connections before the guest is up and may reset them,
 * so every failure before the deadline is worth another try, unless `gone` says that the machine has ended.
 * A VMM that has just been started makes its sockets within a few milliseconds: it is asked often at first.
 */
export async function waitForAgent(
  socketPath: string,
  deadlineMs: number,
  gone: () => boolean = () => false,
  request = "PING",
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  for (let tries = 0; ; tries++) {
    const left = deadline - performance.now();
    try {
      await agentRequest(socketPath, request, Math.max(1, Math.min(left, 5000)));
      return;
    } catch (error) {
      if (error instanceof AgentRefusal) throw error;
      if (gone()) throw new Error("the machine ended before its agent answered", { cause: error });
      if (performance.now() >= deadline) {
        throw new Error(`the agent did not answer within ${deadlineMs} ms`, { cause: error });
      }
    }
    await sleep(Math.max(1, Math.min(tries / 10, LONGEST_PAUSE_MS)));
  }
}

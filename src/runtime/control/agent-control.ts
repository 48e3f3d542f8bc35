import { requestLine } from "./line-client.ts";
import { Refusal, waitForAnswer } from "./wait-for-answer.ts";

const ATTEMPT_MS = 5000;

/** The agent understood the request and declined it. */
export class AgentRefusal extends Refusal {}

/** The agent's control service in the guest (docs/protocol.md, section 3.2). */
export async function agentRequest(
  socketPath: string,
  request: string,
  timeoutMs = ATTEMPT_MS,
): Promise<string> {
  const { line } = await requestLine(socketPath, request, timeoutMs);
  if (line === "OK") return "";
  if (line.startsWith("OK ")) return line.slice(3);
  throw new AgentRefusal(
    `the agent refused ${request.split(" ")[0]}: ${line.replace(/^ERR /, "")}`,
  );
}

/** Ask until the agent answers, or the machine is `gone`. */
export function waitForAgent(
  socketPath: string,
  deadlineMs: number,
  gone: () => boolean = () => false,
  request = "PING",
): Promise<void> {
  const ask = (leftMs: number) => agentRequest(socketPath, request, Math.min(leftMs, ATTEMPT_MS));
  return waitForAnswer(ask, deadlineMs, gone);
}

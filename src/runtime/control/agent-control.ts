import { setTimeout as sleep } from "node:timers/promises";
import { requestLine } from "./line-client.ts";

/** The agent's control service in the guest (docs/protocol.md, section 3.2). */
export async function agentRequest(
  socketPath: string,
  request: string,
  timeoutMs = 5000,
): Promise<string> {
  const { line } = await requestLine(socketPath, request, timeoutMs);
  if (line === "OK") return "";
  if (line.startsWith("OK ")) return line.slice(3);
  throw new Error(`the agent refused ${request.split(" ")[0]}: ${line.replace(/^ERR /, "")}`);
}

/**
 * Ask until the agent answers. The VMM accepts connections before the guest is up and may reset them,
 * so every failure before the deadline is worth another try, unless `gone` says that the machine has ended.
 */
export async function waitForAgent(
  socketPath: string,
  deadlineMs: number,
  gone: () => boolean = () => false,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const left = deadline - performance.now();
    try {
      await agentRequest(socketPath, "PING", Math.max(1, Math.min(left, 5000)));
      return;
    } catch (error) {
      if (gone()) throw new Error("the machine ended before its agent answered", { cause: error });
      if (performance.now() >= deadline) {
        throw new Error(`the agent did not answer within ${deadlineMs} ms`, { cause: error });
      }
    }
    await sleep(20);
  }
}

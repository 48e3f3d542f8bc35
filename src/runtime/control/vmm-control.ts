import { CONSOLE_TAIL_BYTES } from "../machine/console.ts";
import { requestLine } from "./line-client.ts";
import { Refusal, waitForAnswer } from "./wait-for-answer.ts";

/** What `machinen-vmm` says of its machine (docs/protocol.md, section 4). */
export interface VmmStatus {
  state: "booting" | "running" | "paused";
  /** The agent has been met. */
  linked: boolean;
  qemuPid?: number;
  accel?: string;
  accelReason?: string;
  memoryMib?: number;
  /** MiB of it that are not in the guest's balloon. */
  ceilingMib?: number;
  /** How far the balloon is that `MACHINEN_MEMORY_LIMIT` asks for; `short`: the guest uses more. */
  limit?: "none" | "busy" | "reached" | "short";
  uptimeMs?: number;
  /** Pages of 4096 bytes mapped from the bundle it was restored from with `lazy`, and those not come to yet. */
  lazyPages?: number;
  lazyPending?: number;
  /** Why there are none, in words. */
  lazyReason?: string;
}

/** The VMM understood the request and declined it. */
export class VmmRefusal extends Refusal {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "VmmRefusal";
    this.code = code;
  }
}

type Answer = Record<string, unknown>;

function parseAnswer(line: string): Answer {
  let answer: unknown;
  try {
    answer = JSON.parse(line);
  } catch {
    throw new VmmRefusal("MALFORMED", "the VMM's answer is not JSON");
  }
  if (typeof answer !== "object" || answer === null) {
    throw new VmmRefusal("MALFORMED", "the VMM's answer is not an object");
  }
  const fields = answer as Answer;
  if (fields.ok !== true) throw new VmmRefusal(String(fields.code), String(fields.message));
  return fields;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

const LIMITS = ["none", "busy", "reached", "short"] as const;

export async function vmmStatus(controlPath: string, timeoutMs = 1000): Promise<VmmStatus> {
  const { line } = await requestLine(controlPath, "status", timeoutMs);
  const answer = parseAnswer(line);
  const state = answer.state;
  if (state !== "booting" && state !== "running" && state !== "paused") {
    throw new VmmRefusal("MALFORMED", `unknown state ${String(state)}`);
  }
  return {
    state,
    linked: answer.linked === true,
    qemuPid: count(answer.qemuPid),
    accel: text(answer.accel),
    accelReason: text(answer.accelReason),
    memoryMib: count(answer.memoryMib),
    ceilingMib: count(answer.ceilingMib),
    limit: LIMITS.find((limit) => limit === answer.limit),
    uptimeMs: count(answer.uptimeMs),
    lazyPages: count(answer.lazyPages),
    lazyPending: count(answer.lazyPending),
    lazyReason: text(answer.lazyReason),
  };
}

/**
 * Wait until a machine is up: until its agent has been met and, when it was resumed, has its new identity.
 * The VMM says so itself, which costs the guest nothing.
 */
export function waitForMachine(
  controlPath: string,
  deadlineMs: number,
  gone: () => boolean,
): Promise<void> {
  const ask = async (leftMs: number) =>
    parseAnswer((await requestLine(controlPath, "up", leftMs)).line);
  return waitForAnswer(ask, deadlineMs, gone);
}

/** End the machine now. The VMM may be gone before it answers: callers watch the pid. */
export async function vmmQuit(controlPath: string, timeoutMs = 1000): Promise<void> {
  await requestLine(controlPath, "quit", timeoutMs);
}

function consoleLength(line: string): number {
  try {
    const length = (JSON.parse(line) as Answer).length;
    return typeof length === "number" && length > 0 ? Math.min(length, 2 * CONSOLE_TAIL_BYTES) : 0;
  } catch {
    return 0;
  }
}

/** The last MiB of the guest's console. */
export async function vmmConsole(controlPath: string, timeoutMs = 5000): Promise<Buffer> {
  const { line, payload } = await requestLine(controlPath, "console", timeoutMs, consoleLength);
  parseAnswer(line);
  return payload;
}

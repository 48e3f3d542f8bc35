import type { PortForward } from "../runtime/machine/boot-options.ts";
import type { Command } from "./command.ts";
import { usage } from "./split-arguments.ts";

export const publishFlag = {
  type: "string",
  shortFlag: "p",
  placeholder: "host port:guest port",
  description:
    "lead a port of this host (127.0.0.1, or <address>:...) into the machine; repeatable",
  many: true,
} as const;

function readForward(text: string, command: Command): PortForward {
  const match = /^(?:([\d.]+):)?(\d{1,5}):(\d{1,5})$/.exec(text);
  const [hostPort, guestPort] = [Number(match?.[2]), Number(match?.[3])];
  if (![hostPort, guestPort].every((port) => port >= 1 && port <= 65535)) {
    throw usage(
      "PARSE_PORT_INVALID",
      `--publish needs <host port>:<guest port>, ports from 1 to 65535, not "${text}"`,
      command,
    );
  }
  const hostAddr = match?.[1];
  return hostAddr === undefined ? { hostPort, guestPort } : { hostAddr, hostPort, guestPort };
}

/** `-p 8080:80 -p 0.0.0.0:53:53`, as an option of the host's; none at all without the flag. */
export function readPublished(
  given: string[] | undefined,
  command: Command,
): { portForward?: PortForward[] } {
  if (given === undefined || given.length === 0) return {};
  return { portForward: given.map((text) => readForward(text, command)) };
}

import type { Mount } from "../runtime/machine/boot-options.ts";
import type { Command } from "./command.ts";
import { usage } from "./split-arguments.ts";

export const mountFlag = {
  type: "string",
  placeholder: "host dir:guest dir",
  description:
    "copy a directory of this host into the machine, below /mnt; what the machine writes stays in it",
} as const;

/** `--mount ./src:/mnt/src`: the last colon before a slash divides, for the host's names may hold some. */
export function readMount(given: string | undefined, command: Command): { mount?: Mount } {
  if (given === undefined) return {};
  const [, host, guest] = /^(.+):(\/[^:]*)$/s.exec(given) ?? [];
  if (host === undefined || guest === undefined || !/^\/mnt\/[^/]/.test(guest)) {
    throw usage(
      "PARSE_FLAG_MALFORMED",
      `--mount needs <host directory>:/mnt/<directory in the guest>, not "${given}"`,
      command,
    );
  }
  return { mount: { host, guest } };
}

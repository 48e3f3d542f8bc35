import type { LiveMount } from "../runtime/machine/boot-options.ts";
import type { Command } from "./command.ts";
import { usage } from "./split-arguments.ts";

export const liveMountFlag = {
  type: "string",
  shortFlag: "v",
  placeholder: "directory:/mnt/place[:ro]",
  description: "a directory of this host, seen live by the machine; repeatable",
  many: true,
} as const;

/** For commands that resume a machine. */
export const movedLiveMountFlag = {
  ...liveMountFlag,
  description: "another directory of this host for a live mount; repeatable",
} as const;

/** The directory may hold colons; what follows the last one that begins a path does not. */
function readLiveMount(text: string, command: Command): LiveMount {
  const [, host, guest, mode] = /^(.+):(\/[^:]*?)(?::(ro|rw))?$/.exec(text) ?? [];
  if (host === undefined || guest === undefined) {
    throw usage(
      "PARSE_FLAG_MALFORMED",
      `--live-mount needs <directory>:/mnt/<place>, with :ro behind it for read-only, not "${text}"`,
      command,
    );
  }
  const share: LiveMount = { host, guest };
  if (mode === "ro" || mode === "rw") share.mode = mode;
  return share;
}

/** `-v .:/mnt/work -v ~/notes:/mnt/notes:ro`, as an option of the host's; none at all without the flag. */
export function readLiveMounts(
  given: string[] | undefined,
  command: Command,
): { liveMounts?: LiveMount[] } {
  if (given === undefined || given.length === 0) return {};
  return { liveMounts: given.map((text) => readLiveMount(text, command)) };
}

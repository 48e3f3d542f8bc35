import { parseArgs } from "node:util";

export const USAGE = `npm run bench -- [--only <part>] [--runs N] [--image I] [--json]

Everything is measured side by side, N times (default 10); compare ratios, not milliseconds. The table (or JSON)
goes to standard output, progress to standard error. docs/performance.md explains each line.

machines     boots, forks, snapshots, restores; beside QEMU alone and CRIU in a guest
files        commands and copies of files of a Debian guest; beside ssh
multiplexer  panes; beside tmux
live-mount   a directory of the host; beside the guest's own disk
soak         only when named: N forks of a machine under load, each looked at whole; the machine is of
             --image: tiny (default), debian, or the path of a rootfs tarball. It is on a disk.`;

/** What runs when no part is named. */
const USUAL = ["machines", "files", "multiplexer", "live-mount"] as const;
const PARTS = [...USUAL, "soak"] as const;
export type Part = (typeof PARTS)[number];

export interface BenchArguments {
  parts: readonly Part[];
  runs: number;
  image: string;
  json: boolean;
  help: boolean;
}

/** Read the words after `npm run bench --`; throws an error whose message says which of them is wrong. */
export function readArguments(args: string[]): BenchArguments {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      runs: { type: "string", default: "10" },
      image: { type: "string", default: "tiny" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const { only, image, json, help } = values;
  const parts = PARTS.filter((part) => part === only);
  if (only !== undefined && parts.length === 0) throw new Error(`there is no part '${only}'`);
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) {
    throw new Error(`--runs '${values.runs}' is not a number of runs`);
  }
  return { parts: only === undefined ? USUAL : parts, runs, image, json, help };
}

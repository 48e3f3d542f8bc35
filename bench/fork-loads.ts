import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Machine } from "../src/runtime/index.ts";
import type { BootOptions } from "../src/runtime/machine/boot-options.ts";
import { bootTiny, busyGuest, kill, touch, traced, writeToDisk } from "./machine-stages.ts";
import { COLD, firstReply, type Log, type Rows } from "./machines.ts";

/** One kind of parent: how it is booted and what it does while it is forked. */
interface Load {
  name: string;
  opts?: BootOptions;
  prepare?(vm: Machine): Promise<unknown>;
  /** Also measure the parent's pause, beside the figure of this name. */
  pause?: string;
  /** Forks of a fork: they share what the fork was given. */
  again?: boolean;
}

const touched = (mib: number): Load => ({
  name: `${mib} MiB touched since the boot`,
  opts: { memory: mib + 512 },
  prepare: (vm) => touch(vm, mib),
  again: true,
});

const LOADS: Load[] = [
  { name: "guest of 512 MiB", pause: "fork, guest of 512 MiB" },
  { name: "guest of 4096 MiB", opts: { memory: 4096 }, pause: "parent pause, guest of 512 MiB" },
  { name: "busy guest", prepare: busyGuest },
  touched(64),
  touched(256),
  touched(1024),
  {
    name: "writing to its disk",
    opts: { rootDisk: true },
    prepare: async (vm) => {
      await writeToDisk(vm);
      await sleep(1000);
    },
  },
];

async function measureLoad(load: Load, rows: Rows, runs: number, directory: string): Promise<void> {
  const machines: Machine[] = [];
  const trace = join(directory, `load-${load.name.replace(/\W+/g, "-")}`);
  try {
    process.env.MACHINEN_TRACE = trace;
    const parent = await bootTiny(load.opts);
    machines.push(parent);
    delete process.env.MACHINEN_TRACE;
    await load.prepare?.(parent);
    await parent.exec("true");
    for (let run = 0; run < runs; run++) {
      rows.add(`fork, ${load.name}`, await firstReply(machines, () => parent.fork()), COLD);
      if (load.pause) {
        rows.add(`parent pause, ${load.name}`, traced(trace, "pause").slice(-1), load.pause);
      }
      if (load.again) {
        const fork = machines.at(-1)!;
        const again = await firstReply(machines, () => fork.fork());
        rows.add(`fork of that fork, ${load.name}`, again, COLD);
      }
      await kill(machines.splice(1));
    }
  } finally {
    await kill(machines);
  }
}

/** Forks of parents that are large, busy or writing; where memory is copied, how much decides. */
export async function measureForkLoads(
  rows: Rows,
  runs: number,
  directory: string,
  log: Log,
): Promise<void> {
  for (const load of LOADS) {
    // The template of another shape is made outside the figures.
    await kill([await bootTiny(load.opts)]);
    await measureLoad(load, rows, runs, directory);
    log(`forks: ${load.name}`);
  }
}

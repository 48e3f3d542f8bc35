import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Machine } from "../src/runtime/index.ts";
import { restore } from "../src/runtime/index.ts";
import { measureCriu } from "./criu.ts";
import { measureForkLoads } from "./fork-loads.ts";
import { bootTiny, guestMemory, kill, prepareTiny, traced } from "./machine-stages.ts";
import { measureMounts } from "./mounts.ts";
import { measureSavevm } from "./qemu-savevm.ts";
import type { Row } from "./report.ts";
import { timed } from "./statistics.ts";

export const COLD = "cold boot to first exec reply";
const FORK = "fork to first exec reply";
/** After its last command a guest gets the next one's process ready: nobody forks within these moments. */
const RESTED_MS = 300;

export type Log = (line: string) => void;

/** Rows by name, filled run by run: what is compared is measured by turns. */
export class Rows {
  private readonly rows = new Map<string, Row>();

  add(what: string, values: number | number[], against?: string, unit = "ms"): void {
    const row = this.rows.get(what) ?? { what, unit, values: [], against };
    row.values.push(...[values].flat());
    this.rows.set(what, row);
  }

  list(): Row[] {
    return [...this.rows.values()];
  }
}

/** Time until a machine made by `make` has run its first command. */
export async function firstReply(
  machines: Machine[],
  make: () => Promise<Machine>,
): Promise<number> {
  return timed(async () => {
    const vm = await make();
    machines.push(vm);
    await vm.exec("true");
  });
}

async function measureOnce(rows: Rows, directory: string, run: number): Promise<void> {
  const machines: Machine[] = [];
  const trace = join(directory, `trace-${run}`);
  try {
    rows.add(COLD, await firstReply(machines, () => bootTiny({ template: false })));
    await kill(machines.splice(0));
    rows.add("template boot, no other machine", await firstReply(machines, bootTiny), COLD);
    rows.add("template boot, beside another", await firstReply(machines, bootTiny), COLD);
    await prepareTiny();
    rows.add("prepared boot", await firstReply(machines, bootTiny), COLD);

    process.env.MACHINEN_TRACE = trace;
    const parent = await bootTiny();
    delete process.env.MACHINEN_TRACE;
    machines.push(parent);
    await parent.exec("true");
    for (let i = 0; i < 10; i++)
      rows.add("exec round trip", await timed(() => parent.exec("true")));
    await sleep(RESTED_MS);
    rows.add(FORK, await firstReply(machines, () => parent.fork()), COLD);
    rows.add("parent pause in a fork", traced(trace, "pause").slice(-1), FORK);
    await sleep(1000);
    const touched = guestMemory(parent).touched;
    const { own } = guestMemory(machines.at(-1)!);
    rows.add("guest memory touched by the parent", touched, undefined, "MiB");
    rows.add(
      "private guest memory of an idle fork",
      own,
      "guest memory touched by the parent",
      "MiB",
    );

    await parent.prepareFork();
    await sleep(RESTED_MS);
    rows.add(
      "prepared fork to first exec reply",
      await firstReply(machines, () => parent.fork()),
      COLD,
    );
    await kill(machines.filter((vm) => vm !== parent));

    let last = parent;
    for (let generation = 1; generation < 5; generation++) {
      last = await last.fork();
      machines.push(last);
    }
    const fifth = await firstReply(machines, () => last.fork());
    rows.add("fork of the fifth generation", fifth, COLD);
    await kill(machines.filter((vm) => vm !== parent));
    rows.add(
      "8 forks at once, until all have replied",
      await timed(async () => {
        const forks = await parent.forkMany(8);
        machines.push(...forks);
        await Promise.all(forks.map((fork) => fork.exec("true")));
      }),
      FORK,
    );
    await kill(machines.filter((vm) => vm !== parent));
    const outDir = join(directory, `bundle-${run}`);
    rows.add(
      "snapshot, machine goes on",
      await timed(() => parent.snapshot({ outDir, leaveRunning: true })),
      COLD,
    );
    rows.add(
      "restore to first exec reply",
      await firstReply(machines, () => restore({ snapDir: outDir })),
      COLD,
    );
    rows.add(
      "restore that maps the bundle, to first exec reply",
      await firstReply(machines, () => restore({ snapDir: outDir, lazy: true })),
      COLD,
    );
    rmSync(outDir, { recursive: true, force: true });
  } finally {
    await kill(machines);
  }
}

/** What a user waits for with machines, all through the public API, beside what else could do it. */
export async function measureMachines(runs: number, log: Log): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), "machinen-bench-"));
  const rows = new Rows();
  try {
    // The first boot makes the template; how long that takes is no figure of the later ones.
    await kill([await bootTiny()]);
    for (let run = 0; run < runs; run++) {
      await measureOnce(rows, directory, run);
      log(`machines: run ${run + 1} of ${runs}`);
    }
    await measureMounts(rows, runs, directory, log);
    await measureForkLoads(rows, runs, directory, log);
    await measureSavevm(rows, runs, directory, log);
    await measureCriu(rows, runs, log);
    return rows.list();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

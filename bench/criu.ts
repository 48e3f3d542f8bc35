import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { COLD, type Log, type Rows } from "./machines.ts";
import { timed } from "./statistics.ts";

/** About as much memory as an idle guest has touched. */
const HOLD_64_MIB = "x=$(head -c 64M /dev/zero | tr '\\0' x); while :; do sleep 1000; done";

/** Why CRIU cannot be measured here, or undefined. */
function problem(): string | undefined {
  const check = spawnSync("criu", ["check"], { encoding: "utf8" });
  if (check.error) return "criu is not installed";
  return check.status === 0 ? undefined : check.stderr.trim().split("\n")[0];
}

function criu(...args: string[]): void {
  const { status, stderr } = spawnSync("criu", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`criu ${args[0]}: ${stderr.trim().split("\n").at(-1)}`);
}

/** A process instead of a machine, dumped and restored: no kernel, no disk, but the same amount of memory. */
export async function measureCriu(
  rows: Rows,
  runs: number,
  directory: string,
  log: Log,
): Promise<void> {
  const why = problem();
  if (why !== undefined) {
    log(`CRIU: left out: ${why}`);
    return;
  }
  for (let run = 0; run < runs; run++) {
    const images = join(directory, `criu-${run}`);
    mkdirSync(images);
    const process = spawn("setsid", ["sh", "-c", HOLD_64_MIB], { stdio: "ignore" });
    try {
      await sleep(2000);
      const pid = String(process.pid);
      rows.add(
        "CRIU dump of a process with 64 MiB",
        await timed(async () => criu("dump", "-t", pid, "-D", images)),
        COLD,
      );
      if (process.exitCode === null && process.signalCode === null) await once(process, "exit");
      rows.add(
        "CRIU restore of it",
        await timed(async () => criu("restore", "-d", "-D", images)),
        COLD,
      );
      spawnSync("kill", ["-9", pid]);
    } finally {
      process.kill("SIGKILL");
    }
    log(`CRIU: run ${run + 1} of ${runs}`);
  }
}

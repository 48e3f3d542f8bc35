import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Machine } from "../src/runtime/index.ts";
import type { Mount } from "../src/runtime/machine/boot-options.ts";
import { bootTiny, kill } from "./machine-stages.ts";
import { firstReply, type Log, type Rows } from "./machines.ts";

const FILES = 1000;
const FILE_BYTES = 20 * 1024;
const SETTLED_MS = 2500;
const PLAIN = "boot without a mount";

/** 1,000 files, 20 MiB, of which half can be compressed. */
function makeTree(host: string): void {
  for (let i = 0; i < FILES; i++) {
    const directory = join(host, `d${i % 20}`);
    mkdirSync(directory, { recursive: true });
    const half = randomBytes(FILE_BYTES / 2);
    writeFileSync(join(directory, `f${i}`), Buffer.concat([half, Buffer.alloc(half.length, "a")]));
  }
}

/** Boots with a host directory beside boots without one, all from templates that are there. */
export async function measureMounts(
  rows: Rows,
  runs: number,
  directory: string,
  log: Log,
): Promise<void> {
  const [resting, changing] = ["resting", "changing"].map((name) => {
    const host = join(directory, name);
    makeTree(host);
    return { host, guest: "/mnt/work" };
  }) as [Mount, Mount];
  const measure = async (opts?: object): Promise<number> => {
    const machines: Machine[] = [];
    try {
      return await firstReply(machines, () => bootTiny(opts));
    } finally {
      await kill(machines);
    }
  };
  // Of what was only just written nobody can tell by the times whether it is written again.
  await sleep(SETTLED_MS);
  await measure({ mount: resting });
  for (let run = 0; run < runs; run++) {
    rows.add(PLAIN, await measure());
    rows.add("boot with a mount, packed before", await measure({ mount: resting }), PLAIN);
    writeFileSync(join(changing.host, "changed"), randomBytes(16));
    const changed = await measure({ mount: changing });
    rows.add("boot with a mount that has changed (packs 20 MiB)", changed, PLAIN);
    log(`mounts: run ${run + 1} of ${runs}`);
  }
}

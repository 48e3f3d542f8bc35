import { setTimeout as sleep } from "node:timers/promises";
import { VsockExec } from "../exec/index.ts";
import type { RunDir } from "../machine/run-dir.ts";

const WARM_UP_MS = 3000;
/** After a command the guest starts the shells of the next ones: everybody is to find that done. */
const LEAST_REST_MS = 350;
const MOST_REST_MS = 1400;

/**
 * The guest lets the first of two shells that wait run this when it can, else the second, which has no environment
 * yet: that one is still there when both were.
 */
const BOTH_WAITED = `for process in /proc/[0-9]*; do
  read -r name <$process/comm && [ "$name" = machinen-spare ] || continue
  environment=; read -r environment <$process/environ
  [ -z "$environment" ] && exit 0
done 2>/dev/null; exit 1`;

/**
 * Run commands that do nothing: what a guest's first one has to fetch from its disk and to set up in its kernel, and
 * an emulated processor to translate, whoever comes later finds done.
 */
export async function warmUp(runDir: RunDir): Promise<void> {
  const limits = { connectTimeoutMs: WARM_UP_MS, execTimeoutMs: WARM_UP_MS };
  // An image may be without a shell, and no worse for it.
  const run = (command: string) =>
    VsockExec.run(runDir.execSocket, command, limits).catch(() => undefined);
  await run(":");
  for (let rest = LEAST_REST_MS; rest <= MOST_REST_MS; rest *= 2) {
    await sleep(rest);
    const result = await run(BOTH_WAITED);
    if (result?.exitCode === 0 || result?.exitCode === 127) break;
  }
  // Only the first is to be made again now, as quickly as it was before, or sooner.
  await sleep(2 * LEAST_REST_MS);
}

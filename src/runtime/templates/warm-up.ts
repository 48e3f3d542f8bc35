import { setTimeout as sleep } from "node:timers/promises";
import { VsockExec } from "../exec/index.ts";
import type { RunDir } from "../machine/run-dir.ts";

const WARM_UP_MS = 3000;
/** After a command the guest loads the shell of the next one: everybody is to find that done. */
const REST_MS = 500;

/**
 * Run an empty command: what a guest's first one has to fetch from its disk and to set up in its kernel, and an
 * emulated processor to translate, whoever comes later finds done.
 */
export async function warmUp(runDir: RunDir): Promise<void> {
  const limits = { connectTimeoutMs: WARM_UP_MS, execTimeoutMs: WARM_UP_MS };
  for (let run = 0; run < 2; run++) {
    // An image may be without a shell, and no worse for it.
    await VsockExec.run(runDir.execSocket, ":", limits).catch(() => {});
  }
  await sleep(REST_MS);
}

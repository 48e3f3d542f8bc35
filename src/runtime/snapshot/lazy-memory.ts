import { join } from "node:path";
import { vmmStatus } from "../control/vmm-control.ts";
import type { OnLog } from "../log.ts";
import type { StartedMachine } from "../machine/start-machine.ts";
import { updateEntry } from "../registry/index.ts";

/**
 * Take note of how much of a machine's memory was mapped from its bundle, and say so where none was: the machine
 * is as good then, it only takes more memory.
 *
 * @param imgDir absolute path of the saved machine in the bundle
 */
export async function noteLazyMemory(
  { entry }: StartedMachine,
  imgDir: string,
  onLog?: OnLog,
): Promise<void> {
  const status = await vmmStatus(entry.controlPath!).catch(() => undefined);
  if (status?.lazyPages) {
    entry.lazyPagesTotal = status.lazyPages;
    entry.lazyPagesMountRoot = imgDir;
    updateEntry(entry.pid, {
      lazyPagesTotal: entry.lazyPagesTotal,
      lazyPagesMountRoot: entry.lazyPagesMountRoot,
    });
    return;
  }
  const reason = status?.lazyReason || "the VMM did not say why";
  const chunk = Buffer.from(
    `machinen: ${join(imgDir, "memory.img")} was copied, not mapped: ${reason}\n`,
  );
  onLog?.({ source: "guest-console", chunk });
}

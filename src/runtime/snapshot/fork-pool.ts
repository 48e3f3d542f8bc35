import { SnapshotError } from "../errors.ts";
import { endWithMachine, processOf } from "../machine/end-machine.ts";
import { HeldPool } from "../machine/held-pool.ts";
import type { RegistryEntry } from "../registry/index.ts";
import { type PreparedFork, prepareFork } from "./prepared-fork.ts";

const MAX_PREPARED = 2;
/** The fork that was just made shall have the processor first. */
const REFILL_AFTER_MS = 500;
const WATCH_EVERY_MS = 1000;

let watch: NodeJS.Timeout | undefined;

/** Forks that this process has prepared, each of another machine. */
const pool = new HeldPool<RegistryEntry, PreparedFork>(MAX_PREPARED, (size) => {
  if (size > 0) {
    watch ??= setInterval(discardOrphans, WATCH_EVERY_MS).unref();
  } else {
    clearInterval(watch);
    watch = undefined;
  }
});

endWithMachine(({ pid }) => pool.discardWhere((source) => source.pid === pid));

function discardOrphans(): void {
  void pool.discardWhere((source) => !processOf(source));
}

/**
 * Have the next fork of a machine ready. This process holds at most two such forks, each of another
 * machine; they end with it, with the machine, or when others come. When one is used the next is prepared.
 *
 * @throws {SnapshotError} SNAPSHOT_DUMP_FAILED
 */
export async function prepareNextFork(source: RegistryEntry): Promise<void> {
  const starting =
    pool.find(({ pid }) => pid === source.pid) ?? pool.add(source, prepareFork(source));
  const settled = await (await starting).settled;
  if (settled === "ready") return;
  throw new SnapshotError(
    "SNAPSHOT_DUMP_FAILED",
    `a fork could not be prepared: ${settled.message}`,
  );
}

/** The prepared fork of this machine, for the caller to use; the next one is prepared soon. */
export async function takePrepared(source: RegistryEntry): Promise<PreparedFork | undefined> {
  const fork = await pool.take(({ pid }) => pid === source.pid);
  if (fork === undefined) return undefined;
  setTimeout(() => {
    if (processOf(source)) prepareNextFork(source).catch(() => {});
  }, REFILL_AFTER_MS).unref();
  return fork;
}

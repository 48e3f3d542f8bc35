import { SnapshotError } from "../errors.ts";
import { endWithMachine, processOf } from "../machine/end-machine.ts";
import type { RegistryEntry } from "../registry/index.ts";
import { type PreparedFork, prepareFork } from "./prepared-fork.ts";

/** Each waiting fork holds a QEMU of its own. */
const MAX_PREPARED = 2;
/** The fork that was just made shall have the processor first. */
const REFILL_AFTER_MS = 500;
const WATCH_EVERY_MS = 1000;

interface Slot {
  source: RegistryEntry;
  starting: Promise<PreparedFork>;
  /** Once its VMM runs. */
  fork?: PreparedFork;
}

/** Forks that this process has prepared, each of another machine, the oldest first. */
const slots: Slot[] = [];
let watch: NodeJS.Timeout | undefined;

function remove(slot: Slot): void {
  const at = slots.indexOf(slot);
  if (at >= 0) slots.splice(at, 1);
  if (slots.length > 0) return;
  clearInterval(watch);
  watch = undefined;
}

async function discard(slot: Slot): Promise<void> {
  remove(slot);
  const fork = await slot.starting.catch(() => undefined);
  await fork?.end();
}

endWithMachine(async ({ pid }) => {
  const held = slots.filter(({ source }) => source.pid === pid);
  await Promise.all(held.map(discard));
});

function discardOrphans(): void {
  for (const slot of [...slots]) if (!processOf(slot.source)) void discard(slot);
}

/** Every VMM watches its input and ends with us; an orderly end need not leave that to it. */
function discardAtExit(): void {
  for (const { fork } of slots) fork?.drop();
}

function add(source: RegistryEntry): Slot {
  for (const slot of slots.slice(0, Math.max(0, slots.length - MAX_PREPARED + 1)))
    void discard(slot);
  const slot: Slot = { source, starting: prepareFork(source) };
  slots.push(slot);
  slot.starting.then(
    (fork) => {
      slot.fork = fork;
      fork.child.once("exit", () => remove(slot));
    },
    () => remove(slot),
  );
  if (watch === undefined) {
    watch = setInterval(discardOrphans, WATCH_EVERY_MS).unref();
    process.off("exit", discardAtExit).once("exit", discardAtExit);
  }
  return slot;
}

/**
 * Have the next fork of a machine ready. This process holds at most two such forks, each of another
 * machine; they end with it, with the machine, or when others come. When one is used the next is prepared.
 *
 * @throws {SnapshotError} SNAPSHOT_DUMP_FAILED
 */
export async function prepareNextFork(source: RegistryEntry): Promise<void> {
  const slot = slots.find((one) => one.source.pid === source.pid) ?? add(source);
  const settled = await (await slot.starting).settled;
  if (settled === "ready") return;
  throw new SnapshotError(
    "SNAPSHOT_DUMP_FAILED",
    `a fork could not be prepared: ${settled.message}`,
  );
}

/** The prepared fork of this machine, for the caller to use; the next one is prepared soon. */
export async function takePrepared(source: RegistryEntry): Promise<PreparedFork | undefined> {
  const slot = slots.find((one) => one.source.pid === source.pid);
  if (slot === undefined) return undefined;
  remove(slot);
  const fork = await slot.starting.catch(() => undefined);
  if (fork === undefined || fork.child.exitCode !== null || fork.child.signalCode !== null) {
    return undefined;
  }
  setTimeout(() => {
    if (processOf(source)) prepareNextFork(source).catch(() => {});
  }, REFILL_AFTER_MS).unref();
  return fork;
}

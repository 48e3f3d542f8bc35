import { addEntry, claimName, list, updateEntry } from "../../../src/runtime/registry/index.ts";

/**
 * One of many processes that write at once: takes a name of its own, tries for one that all want,
 * adds itself as a machine, and counts up in a record all share. Prints what it got, then waits.
 */
const [sharedPid = "", rounds = ""] = process.argv.slice(2);
const own = claimName(`worker/${process.pid}`);
let won = false;
try {
  claimName("wanted").commit(process.pid);
  won = true;
} catch (error) {
  if ((error as { code?: string }).code !== "REGISTRY_NAME_IN_USE") throw error;
}
addEntry({
  pid: process.pid,
  name: `worker/${process.pid}`,
  socketPath: "/run/x/exec.sock",
  startedAt: Date.now(),
});
own.commit(process.pid);
for (let round = 0; round < Number(rounds); round++) {
  updateEntry(process.pid, { memoryCeilingMib: round });
  updateEntry(
    Number(sharedPid),
    round % 2 ? { hostname: `h${process.pid}` } : { lazyPagesTotal: round },
  );
  if (!list().some((entry) => entry.pid === process.pid)) throw new Error("lost from the list");
}
process.stdout.write(`${JSON.stringify({ pid: process.pid, won })}\n`);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));

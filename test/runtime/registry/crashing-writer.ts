import { crashAtChange } from "./crash-at-change.ts";

/**
 * Lives through a machine's whole record (name claimed, entry added, name committed, fields changed, entry and
 * name dropped) and kills itself at the n-th change it makes to the file system. Prints `whole` when it came
 * to the end first.
 */
const [crashAt = "", phase = ""] = process.argv.slice(2);
crashAtChange(Number(crashAt));

const { addEntry, claimName, list, removeEntry, updateEntry } = await import(
  "../../../src/runtime/registry/index.ts"
);
const { runGc } = await import("../../../src/runtime/registry/gc.ts");
const claim = claimName("web/main");
addEntry({
  pid: process.pid,
  name: "web/main",
  socketPath: "/run/x/exec.sock",
  cleanupPaths: [phase],
  startedAt: Date.now(),
});
claim.commit(process.pid);
updateEntry(process.pid, { memoryCeilingMib: 512 });
list();
removeEntry(process.pid);
runGc();
process.stdout.write("whole\n");

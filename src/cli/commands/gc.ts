import { printable } from "../../runtime/printable.ts";
import { defineCommand, jsonFlag } from "../command.ts";
import { printJson, printLine } from "../output.ts";

export const gc = defineCommand({
  name: "gc",
  summary: "Remove what dead machines left behind",
  flags: {
    dryRun: { type: "boolean", description: "only say what would be removed" },
    json: jsonFlag,
  },
  examples: [{ command: "machinen gc --dry-run", does: "look first" }],
  async run({ flags }, { stdout }) {
    const { collectGarbage } = await import("../../runtime/machine/index.ts");
    const results = collectGarbage({ dryRun: flags.dryRun ?? false });
    if (flags.json) {
      printJson(stdout, results);
      return 0;
    }
    const verb = flags.dryRun ? "would remove" : "removed";
    for (const { pid, name, removedPaths, failedPaths, registryRemoved } of results) {
      printLine(stdout, `${printable(name ?? `pid ${pid}`)}:`);
      for (const path of removedPaths) printLine(stdout, `  ${verb} ${path}`);
      // A machine may have removed its files itself in the meantime: only what keeps the record is a failure.
      if (registryRemoved) continue;
      for (const path of failedPaths) printLine(stdout, `  could not remove ${path}`);
    }
    if (results.length === 0) printLine(stdout, "Nothing to remove.");
    return results.every(({ registryRemoved }) => registryRemoved) ? 0 : 1;
  },
});

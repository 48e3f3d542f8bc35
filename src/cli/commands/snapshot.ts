import { resolve } from "node:path";
import { defineCommand, jsonFlag } from "../command.ts";
import { printJson, printLine } from "../output.ts";
import { usage } from "../split-arguments.ts";
import { machineName, resolveTarget } from "../target.ts";
import { withTimer } from "../with-timer.ts";

export const snapshot = defineCommand({
  name: "snapshot",
  summary: "Write a running machine to a directory, to restore it later",
  arguments: [
    { name: "target", description: "name or pid of the machine", required: true },
    { name: "directory", description: "a new directory; default: one under ~/.machinen/snapshots" },
  ],
  flags: {
    stop: { type: "boolean", description: "stop the machine once it is written" },
    keepAlive: { type: "boolean", description: "leave it running, as without --stop" },
    json: jsonFlag,
  },
  examples: [
    { command: "machinen snapshot web", does: "save web, which goes on" },
    { command: "machinen snapshot web ./web.bundle --stop", does: "put web away" },
  ],
  async run({ flags, args }, context) {
    if (flags.stop && flags.keepAlive) {
      throw usage("PARSE_FLAG_MALFORMED", "--stop and --keep-alive exclude each other", snapshot);
    }
    const host = await context.host();
    const machine = await resolveTarget(host, args[0]!);
    const options: { directory?: string; stop?: boolean } = {};
    if (args[1] !== undefined) options.directory = resolve(args[1]);
    if (flags.stop) options.stop = true;
    const result = await withTimer(context, `saving ${machineName(machine)}`, () =>
      host.snapshot(machine.id, options),
    );
    if (flags.json) printJson(context.stdout, result);
    else printLine(context.stdout, `${machineName(machine)} is saved in ${result.directory}`);
    return 0;
  },
});

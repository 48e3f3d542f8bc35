import { defineCommand, jsonFlag } from "../command.ts";
import { makeMachine } from "../interruptible.ts";
import { printJson, printLine } from "../output.ts";
import { machineName, resolveTarget } from "../target.ts";
import { withTimer } from "../with-timer.ts";

export const fork = defineCommand({
  name: "fork",
  summary: "Copy a running machine: memory, disk, processes, shells",
  arguments: [{ name: "target", description: "name or pid of the machine", required: true }],
  flags: {
    name: {
      type: "string",
      shortFlag: "n",
      placeholder: "name",
      description: "what to call the copy; default: the name of the machine, numbered",
    },
    json: jsonFlag,
  },
  examples: [
    { command: "machinen fork web", does: "web goes on, and so does web.1" },
    { command: "machinen fork web --name experiment", does: "the same, with a name" },
  ],
  async run({ flags, args }, context) {
    const host = await context.host();
    const source = await resolveTarget(host, args[0]!);
    const options = flags.name === undefined ? {} : { name: flags.name };
    const machine = await withTimer(context, `forking ${machineName(source)}`, () =>
      makeMachine(host, () => host.fork(source.id, options)),
    );
    if (flags.json) printJson(context.stdout, machine);
    else
      printLine(
        context.stdout,
        `${machineName(machine)} is running (pid ${machine.pid}), a fork of ${machineName(source)}`,
      );
    return 0;
  },
});

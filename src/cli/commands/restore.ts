import { resolve } from "node:path";
import { type Command, defineCommand, jsonFlag } from "../command.ts";
import { makeMachine } from "../interruptible.ts";
import { movedLiveMountFlag, readLiveMounts } from "../live-mount-flag.ts";
import { memoryFlag, printMemoryNote } from "../memory-flag.ts";
import { mountFlag, readMount } from "../mount-flag.ts";
import { printJson, printLine } from "../output.ts";
import { publishFlag, readPublished } from "../port-flag.ts";
import { machineName } from "../target.ts";
import { withTimer } from "../with-timer.ts";

export const restore: Command = defineCommand({
  name: "restore",
  summary: "Resume a machine from a snapshot",
  arguments: [{ name: "directory", description: "what machinen snapshot wrote", required: true }],
  flags: {
    name: {
      type: "string",
      shortFlag: "n",
      placeholder: "name",
      description: "what to call the machine",
    },
    publish: publishFlag,
    liveMount: movedLiveMountFlag,
    mount: mountFlag,
    memory: memoryFlag,
    lazy: {
      type: "boolean",
      description: "read the snapshot's memory as the machine needs it, and share it with others",
    },
    json: jsonFlag,
  },
  examples: [
    { command: "machinen restore ./web.bundle --name web", does: "go on where it was" },
    {
      command: "machinen restore ./large.bundle --lazy",
      does: "take memory only for what the machine touches",
    },
  ],
  async run({ flags, args }, context) {
    const host = await context.host();
    const published = {
      ...readPublished(flags.publish, restore),
      ...readLiveMounts(flags.liveMount, restore),
      ...readMount(flags.mount, restore),
    };
    const options = { ...published, name: flags.name, memoryMib: flags.memory, lazy: flags.lazy };
    const machine = await withTimer(context, "restoring", () =>
      makeMachine(host, () => host.restore(resolve(args[0]!), options)),
    );
    if (flags.json) printJson(context.stdout, machine);
    else printLine(context.stdout, `${machineName(machine)} is running (pid ${machine.pid})`);
    printMemoryNote(context, machine, flags.memory);
    if (flags.lazy && machine.lazyPages === undefined) {
      printLine(
        context.stderr,
        `${machineName(machine)} has a copy of the snapshot's memory: it could not be mapped`,
      );
    }
    return 0;
  },
});

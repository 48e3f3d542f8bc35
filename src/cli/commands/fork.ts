import type { MachineInfo } from "../../runtime/host/host.ts";
import { type Command, type Context, defineCommand, jsonFlag } from "../command.ts";
import { makeMachine, makeMachines } from "../interruptible.ts";
import { movedLiveMountFlag, readLiveMounts } from "../live-mount-flag.ts";
import { memoryFlag, printMemoryNote } from "../memory-flag.ts";
import { mountFlag, readMount } from "../mount-flag.ts";
import { printJson, printLine } from "../output.ts";
import { publishFlag, readPublished } from "../port-flag.ts";
import { usage } from "../split-arguments.ts";
import { machineName, resolveTarget } from "../target.ts";
import { withTimer } from "../with-timer.ts";

/** What one machine hands out at once. */
const MAX_FORKS = 64;

export const fork: Command = defineCommand({
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
    count: {
      type: "number",
      shortFlag: "c",
      placeholder: "N",
      description: "make so many copies, all of the same moment",
    },
    publish: publishFlag,
    liveMount: movedLiveMountFlag,
    mount: mountFlag,
    memory: memoryFlag,
    json: jsonFlag,
  },
  examples: [
    { command: "machinen fork web", does: "web goes on, and so does web.1" },
    { command: "machinen fork web --memory 256", does: "the copy has 256 MiB, web what it had" },
    { command: "machinen fork web --name experiment", does: "the same, with a name" },
    { command: "machinen fork web --count 8", does: "web.1 to web.8" },
  ],
  async run({ flags, args }, context) {
    if (flags.count !== undefined) return forkMany(args[0]!, flags, context);
    const published = {
      ...readPublished(flags.publish, fork),
      ...readLiveMounts(flags.liveMount, fork),
      ...readMount(flags.mount, fork),
    };
    const host = await context.host();
    const source = await resolveTarget(host, args[0]!);
    const options = { ...published, name: flags.name, memoryMib: flags.memory };
    const machine = await withTimer(context, `forking ${machineName(source)}`, () =>
      makeMachine(host, () => host.fork(source.id, options)),
    );
    if (flags.json) printJson(context.stdout, machine);
    else printFork(context, machine, source);
    printMemoryNote(context, machine, flags.memory);
    return 0;
  },
});

function printFork({ stdout }: Context, machine: MachineInfo, source: MachineInfo): void {
  const name = machineName(machine);
  printLine(stdout, `${name} is running (pid ${machine.pid}), a fork of ${machineName(source)}`);
}

/** With a number the answer is a list, also of one. */
async function forkMany(
  target: string,
  flags: {
    name?: string | undefined;
    count?: number | undefined;
    json?: boolean | undefined;
    publish?: string[] | undefined;
    liveMount?: string[] | undefined;
    mount?: string | undefined;
    memory?: number | undefined;
  },
  context: Context,
): Promise<number> {
  const { count = 1 } = flags;
  if (!Number.isInteger(count) || count < 1 || count > MAX_FORKS) {
    throw usage("PARSE_FLAG_MALFORMED", `--count must be from 1 to ${MAX_FORKS}`, fork);
  }
  if (flags.name !== undefined) {
    throw usage("PARSE_FLAG_MALFORMED", "--name names one copy: leave it out with --count", fork);
  }
  for (const [flag, given] of [
    ["--publish", flags.publish],
    ["--live-mount", flags.liveMount],
    ["--mount", flags.mount],
  ] as const) {
    if (!given?.length) continue;
    throw usage("PARSE_FLAG_MALFORMED", `${flag} is for one copy: leave it out with --count`, fork);
  }
  const host = await context.host();
  const source = await resolveTarget(host, target);
  const machines = await withTimer(context, `forking ${machineName(source)}`, () =>
    makeMachines(host, () => host.forkMany(source.id, count, { memoryMib: flags.memory })),
  );
  if (flags.json) printJson(context.stdout, machines);
  else for (const machine of machines) printFork(context, machine, source);
  for (const machine of machines) printMemoryNote(context, machine, flags.memory);
  return 0;
}

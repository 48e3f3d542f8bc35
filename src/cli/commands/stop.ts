import { defineCommand } from "../command.ts";
import { printLine } from "../output.ts";
import { usage } from "../split-arguments.ts";
import { findTarget, machineName } from "../target.ts";

export const stop = defineCommand({
  name: "stop",
  summary: "Power machines off",
  arguments: [{ name: "target", description: "names or pids of the machines", many: true }],
  flags: {
    all: { type: "boolean", description: "stop every running machine" },
    grace: {
      type: "number",
      placeholder: "ms",
      description: "time to power off before it is ended; default 3000",
    },
  },
  examples: [
    { command: "machinen stop web web-2", does: "stop two" },
    { command: "machinen stop --all", does: "stop every one" },
  ],
  async run({ flags, args }, { host, stdout }) {
    if (flags.all ? args.length > 0 : args.length === 0)
      throw usage(
        flags.all ? "PARSE_ARGUMENT_UNEXPECTED" : "PARSE_ARGUMENT_MISSING",
        "stop needs targets, or --all alone",
        stop,
      );
    if (flags.grace !== undefined && flags.grace < 0)
      throw usage("PARSE_FLAG_MALFORMED", "--grace cannot be negative", stop);
    const localHost = await host();
    const machines = await localHost.list();
    // All are looked up first: a wrong name among them stops nothing.
    const chosen = flags.all
      ? machines
      : [...new Set(args.map((word) => findTarget(machines, word)))];
    const options = flags.grace === undefined ? {} : { graceMs: flags.grace };
    const results = await Promise.allSettled(
      chosen.map(async (machine) => {
        await localHost.stop(machine.id, options);
        printLine(stdout, `${machineName(machine)} is stopped`);
      }),
    );
    if (chosen.length === 0) printLine(stdout, "No machine is running.");
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
    return 0;
  },
});

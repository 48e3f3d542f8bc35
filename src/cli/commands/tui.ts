import { defineCommand } from "../command.ts";
import { usage } from "../split-arguments.ts";
import { runTour } from "../tour.ts";

export const tui = defineCommand({
  name: "tui",
  summary: "The full-screen terminal UI; the same as machinen alone",
  details:
    "When standard output is no terminal, a short tour in plain text runs instead: it boots two\nmachines, forks one of them and stops them all.",
  flags: {
    boot: {
      type: "number",
      placeholder: "count",
      description: "boot this many machines when none is running",
    },
  },
  examples: [
    { command: "machinen", does: "show the machines that are running" },
    { command: "machinen tui --boot 2", does: "the same, with two to begin with" },
    { command: "machinen | cat", does: "the tour" },
  ],
  async run({ flags }, context) {
    const bootWhenEmpty = flags.boot ?? 0;
    if (bootWhenEmpty < 0 || bootWhenEmpty > 16)
      throw usage("PARSE_FLAG_MALFORMED", "--boot takes a number from 0 to 16", tui);
    const host = await context.host();
    const { stdin, stdout } = context;
    if (!stdout.isTTY || !stdin.isTTY) return runTour(host, stdout);
    const { runTui } = await import("../../ui/index.ts");
    return runTui({ host, stdin, stdout, bootWhenEmpty });
  },
});

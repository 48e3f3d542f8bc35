import { defaultConfigFile } from "../../ui/config/default-file.ts";
import { configFile } from "../../ui/xdg.ts";
import { defineCommand } from "../command.ts";
import { runListMode } from "../list-mode.ts";
import { giveToRunningUi, vocabulary } from "../running-ui.ts";
import { usage } from "../split-arguments.ts";
import { runTour } from "../tour.ts";

const MOST_LOCAL_PANES = 16;

export const tui = defineCommand({
  name: "tui",
  summary: "The full-screen terminal UI; the same as machinen alone",
  details:
    "When standard output is no terminal, a short tour in plain text runs instead: it boots two\nmachines, forks one of them and stops them all.",
  arguments: [
    {
      name: "command",
      description: "a command for the UI that runs, and its argument",
      many: true,
    },
  ],
  flags: {
    commands: {
      type: "boolean",
      description: "print the commands a running UI understands",
    },
    list: {
      type: "boolean",
      description: "plain lines instead of a screen: for screen readers and simple terminals",
    },
    pid: {
      type: "number",
      placeholder: "pid",
      description: "which UI a command is for, where several run",
    },
    printConfig: {
      type: "boolean",
      description: "print the commented default configuration and where it belongs",
    },
    boot: {
      type: "number",
      placeholder: "count",
      description: "boot this many machines when none is running",
    },
    local: {
      type: "string",
      placeholder: "command",
      description:
        "run this on this computer too, in a pane beside the machines; it ends with the UI",
    },
    panes: {
      type: "number",
      placeholder: "count",
      description: "so many panes for --local; default 1",
    },
  },
  examples: [
    { command: "machinen", does: "show the machines that are running" },
    { command: "machinen tui --boot 2", does: "the same, with two to begin with" },
    { command: "machinen tui --local bash", does: "with a shell of this computer in a pane" },
    {
      command: "machinen tui --print-config >~/.config/machinen/config.toml",
      does: "a configuration file to begin with",
    },
    { command: "machinen tui layout stack", does: "tell the UI in another terminal what to do" },
    { command: "machinen | cat", does: "the tour" },
  ],
  async run({ flags, args }, context) {
    if (flags.commands) {
      context.stdout.write(vocabulary());
      return 0;
    }
    if (args.length > 0) return giveToRunningUi(args.join(" "), flags.pid, context);
    if (flags.printConfig) {
      context.stdout.write(defaultConfigFile(configFile()));
      return 0;
    }
    const bootWhenEmpty = flags.boot ?? 0;
    if (bootWhenEmpty < 0 || bootWhenEmpty > 16)
      throw usage("PARSE_FLAG_MALFORMED", "--boot takes a number from 0 to 16", tui);
    const panes = flags.panes ?? 1;
    if (!Number.isInteger(panes) || panes < 1 || panes > MOST_LOCAL_PANES)
      throw usage(
        "PARSE_FLAG_MALFORMED",
        `--panes takes a number from 1 to ${MOST_LOCAL_PANES}`,
        tui,
      );
    if (flags.panes !== undefined && flags.local === undefined)
      throw usage("PARSE_FLAG_MALFORMED", "--panes is for --local", tui);
    if (flags.list && flags.local !== undefined)
      throw usage("PARSE_FLAG_MALFORMED", "--local needs the screen: leave --list out", tui);
    const host = await context.host();
    const { stdin, stdout } = context;
    if (flags.list || (stdin.isTTY && stdout.isTTY && process.env.TERM === "dumb")) {
      return runListMode(host, context, bootWhenEmpty);
    }
    if (flags.local !== undefined) {
      if (!stdout.isTTY || !stdin.isTTY)
        throw usage("PARSE_FLAG_MALFORMED", "--local needs a terminal for its panes", tui);
      const { runWithLocalPanes } = await import("../local-tui.ts");
      const local = { command: flags.local, count: panes };
      return runWithLocalPanes(host, local, { bootWhenEmpty }, context);
    }
    if (!stdout.isTTY || !stdin.isTTY) return runTour(host, stdout);
    const { runTui } = await import("../../ui/index.ts");
    return runTui({ host, stdin, stdout, bootWhenEmpty });
  },
});

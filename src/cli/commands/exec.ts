import { defineCommand, jsonFlag } from "../command.ts";
import { guestCommandLine } from "../guest-command.ts";
import { printJson } from "../output.ts";
import { usage } from "../split-arguments.ts";
import { resolveTarget } from "../target.ts";

export const exec = defineCommand({
  name: "exec",
  summary: "Run a command on a machine; its exit code becomes ours",
  details:
    "One word is a command line for the guest's shell; several words are a program and its\narguments, passed on exactly. Interrupting it ends the command on the machine too.",
  arguments: [{ name: "target", description: "name or pid of the machine", required: true }],
  guestCommand: "after-arguments",
  flags: {
    stdin: {
      type: "boolean",
      shortFlag: "i",
      description: "pass standard input on; without it the command's input is empty",
    },
    json: {
      ...jsonFlag,
      description: "print exit code, stdout and stderr as JSON when it has ended",
    },
  },
  examples: [
    { command: "machinen exec web uname -a", does: "one command" },
    { command: "machinen exec web 'ps | wc -l'", does: "a command line, piped on the machine" },
    { command: "tar c . | machinen exec -i web tar x -C /srv", does: "send it something" },
  ],
  async run({ flags, args, guestCommand }, context) {
    if (guestCommand.length === 0)
      throw usage("PARSE_ARGUMENT_MISSING", "exec needs a command", exec);
    const host = await context.host();
    const machine = await resolveTarget(host, args[0]!);
    const command = guestCommandLine(guestCommand);
    if (flags.json && flags.stdin)
      throw usage("PARSE_FLAG_MALFORMED", "--json and --stdin do not go together", exec);
    if (flags.json) {
      const result = await host.exec(machine.id, command, { timeoutMs: Infinity });
      printJson(context.stdout, result);
      return result.exitCode;
    }
    const { streamExec } = await import("../stream-exec.ts");
    const { stdin, ...output } = context;
    return streamExec(machine, command, flags.stdin ? { ...output, stdin } : output);
  },
});

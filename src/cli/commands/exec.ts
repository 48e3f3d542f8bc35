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
    timeout: {
      type: "number",
      placeholder: "seconds",
      description: "give up after this long; default: never",
    },
    json: {
      ...jsonFlag,
      description: "print exit code, stdout and stderr as JSON when it has ended",
    },
  },
  examples: [
    { command: "machinen exec web uname -a", does: "one command" },
    { command: "machinen exec web 'ps | wc -l'", does: "a command line, piped on the machine" },
  ],
  async run({ flags, args, guestCommand }, context) {
    if (guestCommand.length === 0)
      throw usage("PARSE_ARGUMENT_MISSING", "exec needs a command", exec);
    if (flags.timeout !== undefined && flags.timeout < 1)
      throw usage("PARSE_FLAG_MALFORMED", "--timeout needs at least one second", exec);
    const host = await context.host();
    const machine = await resolveTarget(host, args[0]!);
    const command = guestCommandLine(guestCommand);
    const timeoutMs = (flags.timeout ?? Infinity) * 1000;
    if (flags.json) {
      const result = await host.exec(machine.id, command, { timeoutMs });
      printJson(context.stdout, result);
      return result.exitCode;
    }
    const { streamExec } = await import("../stream-exec.ts");
    return streamExec(machine, command, { timeoutMs, ...context });
  },
});

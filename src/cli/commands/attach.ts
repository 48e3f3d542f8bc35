import { printable } from "../../runtime/printable.ts";
import { detachByte } from "../../ui/config/detach-byte.ts";
import { loadConfig } from "../../ui/config/load-config.ts";
import { describeKey } from "../../ui/keymap.ts";
import type { attachTerminal } from "../attach-terminal.ts";
import { defineCommand } from "../command.ts";
import { guestCommandLine } from "../guest-command.ts";
import { printLine } from "../output.ts";
import { NoTerminal } from "../report-error.ts";
import { machineName, resolveTarget } from "../target.ts";

export const attach = defineCommand({
  name: "attach",
  summary: "Join a machine's shell; Ctrl-] Ctrl-] leaves it running",
  details:
    "The shell is a session: it goes on without you, with its screen. Without --session it is the\none the UI shows. A command after -- starts a session that does not exist yet.",
  arguments: [{ name: "target", description: "name or pid of the machine", required: true }],
  guestCommand: "after-dashes",
  flags: {
    session: {
      type: "string",
      shortFlag: "s",
      placeholder: "name",
      description: "the session to join or to start; default: main",
    },
  },
  examples: [
    { command: "machinen attach web", does: "a shell on web" },
    { command: "machinen attach web --session top -- top", does: "top, in a session of its own" },
  ],
  async run({ flags, args, guestCommand }, context) {
    const { stdin, stdout } = context;
    if (!stdin.isTTY || !stdout.isTTY) throw new NoTerminal();
    const host = await context.host();
    const machine = await resolveTarget(host, args[0]!);
    const { config, problems } = loadConfig();
    for (const problem of problems) printLine(context.stderr, printable(problem));
    const key = config.settings["keyboard.detach"];
    const wayOut = `${describeKey(key)} ${describeKey(key)} leaves it running`;
    const options: Parameters<typeof attachTerminal>[2] = {
      detachKey: detachByte(key),
      title: `machinen ${machineName(machine)}: ${wayOut}`,
    };
    if (flags.session !== undefined) options.name = flags.session;
    if (guestCommand.length > 0) options.command = guestCommandLine(guestCommand);
    const { attachTerminal: join } = await import("../attach-terminal.ts");
    printLine(stdout, `[attaching to ${machineName(machine)}; ${wayOut}]`);
    const exitCode = await join(host, machine.id, options, context);
    const session = flags.session ?? "main";
    printLine(
      stdout,
      exitCode === undefined
        ? `[detached from ${machineName(machine)}; machinen attach ${machineName(machine)} comes back]`
        : `[session ${session} of ${machineName(machine)} ended with ${exitCode}]`,
    );
    return exitCode ?? 0;
  },
});

import { packageVersion } from "../runtime/package-root.ts";
import type { Command, Context } from "./command.ts";
import { commands } from "./commands/index.ts";
import { overviewHelp } from "./help.ts";
import { nearest } from "./nearest.ts";
import { printLine } from "./output.ts";
import { parseArguments } from "./parse-arguments.ts";
import { reportError } from "./report-error.ts";
import { UsageError } from "./usage-error.ts";

function findCommand(word: string): Command {
  const found = commands.find(({ name, aliases }) => name === word || aliases?.includes(word));
  if (found) return found;
  const meant = nearest(
    word,
    commands.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]),
  );
  throw new UsageError(
    "PARSE_COMMAND_UNKNOWN",
    `there is no command "${word}"${meant ? `; did you mean machinen ${meant}?` : ""}`,
    "machinen --help lists the commands",
  );
}

async function dispatch(argv: string[], context: Context): Promise<number> {
  const [first, ...rest] = argv;
  if (first === "--version" || first === "version") {
    printLine(context.stdout, packageVersion());
    return 0;
  }
  if (first === "--help" || first === "-h" || first === "help") {
    const topic = first === "help" ? rest[0] : undefined;
    if (topic === undefined) printLine(context.stdout, overviewHelp(commands));
    else printLine(context.stdout, parseArguments(findCommand(topic), ["--help"]).help);
    return 0;
  }
  // Without a command the words are flags of the UI.
  const named = first !== undefined && !first.startsWith("-");
  const command = findCommand(named ? first : "tui");
  const invocation = parseArguments(command, named ? rest : argv);
  if (invocation.help !== undefined) {
    printLine(context.stdout, invocation.help);
    return 0;
  }
  return command.run(invocation, context);
}

/** Runs one command line to its end; never throws. Resolves to the exit code. */
export async function run(argv: string[], context: Context): Promise<number> {
  try {
    return await dispatch(argv, context);
  } catch (error) {
    return reportError(error, context.stderr);
  }
}

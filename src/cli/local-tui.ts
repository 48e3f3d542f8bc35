import type { Writable } from "node:stream";
import type { Host } from "../runtime/host/host.ts";
import {
  type LocalFailure,
  type LocalPaneOptions,
  withLocalPanes,
} from "../runtime/host/local-panes.ts";
import { nextStep } from "../runtime/next-step.ts";
import { printable } from "../runtime/printable.ts";
import { runTui } from "../ui/index.ts";
import type { Context } from "./command.ts";
import { printLine } from "./output.ts";

/** Of what the program wrote before it ended. */
const SHOWN_LINES = 10;

/** The UI with programs of this computer beside the machines. Resolves to the exit code. */
export async function runWithLocalPanes(
  host: Host,
  local: LocalPaneOptions,
  options: { bootWhenEmpty: number },
  { stdin, stdout, stderr }: Pick<Context, "stdin" | "stdout" | "stderr">,
): Promise<number> {
  const both = withLocalPanes(host, local);
  let failure: LocalFailure | undefined;
  const leaveWith = both.failed.then((failed) => {
    failure = failed;
    return failed.status;
  });
  try {
    const code = await runTui({ host: both, stdin, stdout, leaveWith, ...options });
    if (failure) reportFailure(failure, stderr);
    return code;
  } finally {
    await both.close();
  }
}

/** What the program said, and that it is why the UI was left. */
function reportFailure({ command, status, output }: LocalFailure, stderr: Writable): void {
  const lines = output.split(/\r*\n/).filter((line) => line.trim() !== "");
  for (const line of lines.slice(-SHOWN_LINES)) printLine(stderr, printable(line));
  const code = "LOCAL_COMMAND_FAILED";
  printLine(stderr, `${code}: ${printable(command)} ended at once with status ${status}`);
  printLine(stderr, `next: ${nextStep(code)}`);
}

import { nextStep } from "../runtime/next-step.ts";
import { printable } from "../runtime/printable.ts";
import { type CommandSpec, commands } from "../ui/commands.ts";
import { askRunningUi } from "../ui/remote/client.ts";
import type { Context } from "./command.ts";
import { printLine } from "./output.ts";

/** Carries out a command in the UI that runs in another terminal. Resolves to the exit code. */
export async function giveToRunningUi(
  line: string,
  pid: number | undefined,
  { stdout, stderr }: Pick<Context, "stdout" | "stderr">,
): Promise<number> {
  const answer = await askRunningUi(line, pid);
  if ("code" in answer) {
    printLine(stderr, printable(answer.message));
    const advice = nextStep(answer.code);
    if (advice) printLine(stderr, `next: ${advice}`);
    return 1;
  }
  for (const text of answer.text?.split("\n") ?? []) printLine(stdout, printable(text));
  return 0;
}

/** Every command of the vocabulary, one a line. */
export function vocabulary(): string {
  const rows = Object.entries<CommandSpec>(commands)
    .filter(([, { internal }]) => !internal)
    .map(([name, { argument, description }]) => [
      [name, argument].filter(Boolean).join(" "),
      description,
    ]) as [string, string][];
  const width = Math.max(...rows.map(([words]) => words.length));
  return rows.map(([words, description]) => `${words.padEnd(width)}  ${description}\n`).join("");
}

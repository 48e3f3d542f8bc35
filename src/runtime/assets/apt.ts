import { type ErrorCode, ProvisionError } from "../errors.ts";
import { CommandFailed, runCommand } from "./run-command.ts";

/** What an apt failure should be reported as, and the `machinen install` argument that retries. */
export interface AptContext {
  code: ErrorCode;
  kind: string;
  onProgress: (step: string) => void;
}

/** The packages `name` depends on; fetches the package lists once when apt knows nothing of it. */
export async function aptDependencies(name: string, context: AptContext): Promise<string[]> {
  const ask = () => runApt("apt-cache", ["depends", "--important", name], context, "");
  let answer = await ask().catch(() => "");
  if (!answer) {
    context.onProgress("updating the package lists (apt-get update)");
    await runApt("apt-get", ["update", "-q"], context, "run `apt-get update` as root");
    answer = await ask();
  }
  return answer
    .split("\n")
    .map((line) => /^\s*Depends:\s*([a-z0-9][a-z0-9.+-]*)$/.exec(line)?.[1])
    .filter((found): found is string => found !== undefined);
}

/** Download one package into `directory` and unpack it, without installing it, to `directory/tree`. */
export async function aptUnpack(
  name: string,
  directory: string,
  context: AptContext,
): Promise<{ tree: string; version: string }> {
  context.onProgress(`downloading ${name}`);
  await runApt(
    "apt-get",
    // As root, apt would fetch as a user who cannot write to our private directory.
    ["download", "-q", "-o", "APT::Sandbox::User=root", name],
    context,
    "check the network and run `apt-get update` as root",
    directory,
  );
  const deb = await runCommand("sh", ["-c", "printf %s *.deb"], { cwd: directory });
  const version = (await runCommand("dpkg-deb", ["-f", deb, "Version"], { cwd: directory })).trim();
  context.onProgress(`unpacking ${name} ${version}`);
  await runCommand("dpkg-deb", ["-x", deb, "tree"], { cwd: directory });
  return { tree: `${directory}/tree`, version };
}

async function runApt(
  program: string,
  args: string[],
  context: AptContext,
  nextStep: string,
  cwd?: string,
): Promise<string> {
  try {
    return await runCommand(program, args, { cwd });
  } catch (cause) {
    const step =
      cause instanceof CommandFailed && cause.missing
        ? "this needs a Debian host with apt"
        : nextStep || `is the Debian archive in apt's sources?`;
    throw new ProvisionError(
      context.code,
      `${(cause as Error).message}\nNext: ${step}, then \`machinen install ${context.kind}\``,
      { cause, retryable: true },
    );
  }
}

import { spawn } from "node:child_process";
import { dieWithUs } from "../machine/spawn-vmm.ts";

/** Enough of a failed command's last words to see why it failed. */
const TAIL_BYTES = 2000;
const MAX_STDOUT_BYTES = 64 * 1024 * 1024;

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string;
  /** Send it SIGTERM when we die, however that happens. */
  diesWithUs?: boolean;
  /** Called with every line of standard error. */
  onLine?: (line: string) => void;
}

/** A command that could not be started or did not exit with 0. */
export class CommandFailed extends Error {
  readonly missing: boolean;
  constructor(message: string, missing: boolean) {
    super(message);
    this.missing = missing;
  }
}

/** Run a program to its end and give back its standard output. */
export function runCommand(
  program: string,
  args: string[],
  options: RunOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const command = options.diesWithUs ? dieWithUs(program, args) : { program, args };
    const child = spawn(command.program, command.args, {
      cwd: options.cwd,
      env: { ...(options.env ?? process.env), LC_ALL: "C.UTF-8" },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const stdout: Buffer[] = [];
    let stdoutBytes = 0;
    let tail = "";
    let partialLine = "";

    child.stdout.on("data", (chunk: Buffer) => {
      stdoutBytes += chunk.length;
      if (stdoutBytes <= MAX_STDOUT_BYTES) stdout.push(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      tail = (tail + text).slice(-TAIL_BYTES);
      const lines = (partialLine + text).split(/\r?\n|\r/);
      partialLine = (lines.pop() ?? "").slice(-TAIL_BYTES);
      for (const line of lines) if (line) options.onLine?.(line);
    });
    child.stdin.on("error", () => {}); // the program may end without reading its input
    child.stdin.end(options.input ?? "");

    child.on("error", (error: NodeJS.ErrnoException) => {
      reject(new CommandFailed(`${program}: ${error.message}`, error.code === "ENOENT"));
    });
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(stdout).toString("utf8"));
      const how = signal ? `was killed by ${signal}` : `exited with ${code}`;
      reject(new CommandFailed(`${program} ${args[0] ?? ""} ${how}\n${tail.trim()}`.trim(), false));
    });
  });
}

// Runs the programs of one set-up step, and says how it goes.
import { spawn } from "node:child_process";
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const lastLines = 40;
/** On a terminal the line of the running step counts the seconds; a log file gets whole lines only. */
const live = process.stderr.isTTY;

export class StepFailed extends Error {}

function run({ command, args, cwd, env }, log, current) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    current.child = child;
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.on("error", reject);
    child.on("close", (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`${command} ended with ${signal ?? code}`)),
    );
  });
}

function seconds(start) {
  return `${((Date.now() - start) / 1000).toFixed(1)} s`;
}

/** Run a step's programs in turn. On failure the tools' own words are shown and the way to try again. */
export async function runStep({ title, programs, retry }) {
  const logDirectory = mkdtempSync(join(tmpdir(), "machinen-setup-"));
  const logFile = join(logDirectory, "log");
  const log = createWriteStream(logFile);
  const start = Date.now();
  const current = {};
  const interrupted = (signal) => {
    current.child?.kill(signal);
    rmSync(logDirectory, { recursive: true, force: true });
    process.stderr.write("\n");
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.on("SIGINT", interrupted).on("SIGTERM", interrupted);
  process.stderr.write(live ? `  ${title} ...` : `  ${title} ...\n`);
  const ticker =
    live && setInterval(() => process.stderr.write(`\r  ${title} ... ${seconds(start)}`), 1000);
  try {
    for (const program of programs) await run(program, log, current);
    process.stderr.write(`${live ? "\r\x1b[K" : ""}  ${title}: done in ${seconds(start)}\n`);
  } catch (error) {
    await new Promise((resolve) => log.end(resolve));
    const output = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-lastLines);
    process.stderr.write(
      `${live ? "\r\x1b[K" : ""}${output.map((line) => `    ${line}\n`).join("")}` +
        `machinen: set-up step "${title}" failed: ${error.message}\n` +
        `Try it again with: ${retry}\n`,
    );
    throw new StepFailed(title);
  } finally {
    if (ticker) clearInterval(ticker);
    log.destroy();
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
    rmSync(logDirectory, { recursive: true, force: true });
  }
}

// Runs the programs of one set-up step, and says how it goes.
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";

const lastLines = 40;
const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
/** On a terminal the line of the running step counts the seconds; a log file gets whole lines only. */
const live = process.stderr.isTTY;

export class StepFailed extends Error {}

function run({ command, args, cwd, env }, log, current) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", log, log] });
    current.child = child;
    child.on("error", reject);
    child.on("exit", (code, signal) =>
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
  const log = openSync(logFile, "w");
  const start = Date.now();
  const current = {};
  const interrupted = (signal) => {
    current.child?.kill(signal);
    rmSync(logDirectory, { recursive: true, force: true });
    process.stderr.write("\n");
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of signals) process.on(signal, interrupted);
  process.stderr.write(live ? `  ${title} ...` : `  ${title} ...\n`);
  const ticker =
    live && setInterval(() => process.stderr.write(`\r  ${title} ... ${seconds(start)}`), 1000);
  try {
    for (const program of programs) await run(program, log, current);
    process.stderr.write(`${live ? "\r\x1b[K" : ""}  ${title}: done in ${seconds(start)}\n`);
  } catch (error) {
    const output = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-lastLines);
    process.stderr.write(
      `${live ? "\r\x1b[K" : ""}${output.map((line) => `    ${line}\n`).join("")}` +
        `machinen: set-up step "${title}" failed: ${error.message}\n` +
        `Try it again with: ${retry}\n`,
    );
    throw new StepFailed(title);
  } finally {
    if (ticker) clearInterval(ticker);
    closeSync(log);
    for (const signal of signals) process.off(signal, interrupted);
    rmSync(logDirectory, { recursive: true, force: true });
  }
}

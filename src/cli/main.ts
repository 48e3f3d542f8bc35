import { reportError } from "./report-error.ts";
import { run } from "./run.ts";

// `machinen ls | head -1`: the reader has seen enough, which is no error. A command with something
// to undo listens for the signal a terminal sends when it goes away.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") process.exit(reportError(error, process.stderr));
  if (!process.emit("SIGHUP", "SIGHUP")) process.exit(0);
});
process.stderr.on("error", () => {});

const exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  // Loaded when a command needs it: help and wrong command lines answer at once.
  host: async () => (await import("../runtime/host/local-host.ts")).createLocalHost(),
});

// Pipes are written asynchronously: leave only when all of it is out, and not before an open handle
// of the runtime would let Node end by itself.
process.stdout.write("", () => process.stderr.write("", () => process.exit(exitCode)));

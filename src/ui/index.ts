import { constants } from "node:os";
import type { Host } from "../runtime/host/host.ts";
import { printable } from "../runtime/printable.ts";
import { App } from "./app.ts";
import { loadConfig } from "./config/load-config.ts";
import { describeError } from "./errors.ts";
import { HostTerminal } from "./host-terminal.ts";
import { ProcessSignals } from "./process-signals.ts";
import { quietConsole } from "./quiet-console.ts";
import { RemoteServer } from "./remote/server.ts";
import { chooseLook } from "./terminal-look.ts";
import { workspaceFile } from "./xdg.ts";

export interface TuiOptions {
  host: Host;
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  /** Start so many machines when none is running. */
  bootWhenEmpty?: number;
  /** Leaves with this exit code. */
  leaveWith?: Promise<number>;
}

/** Runs the TUI until the user leaves it; resolves to the exit code. Machines keep running. */
export async function runTui(options: TuiOptions): Promise<number> {
  const { stdin, stdout } = options;
  const { config, problems } = loadConfig();
  const { settings } = config;
  const look = chooseLook(process.env, settings["look.theme"]);
  let finish: (code: number) => void = () => {};
  const finished = new Promise<number>((resolve) => {
    finish = resolve;
  });
  const app = new App({
    host: options.host,
    stdin,
    cols: stdout.columns || 80,
    rows: stdout.rows || 24,
    config,
    ...look,
    workspaceFile: workspaceFile(),
    bootWhenEmpty: options.bootWhenEmpty ?? 0,
    onQuit: () => finish(0),
    onSuspend: () => void signals.suspend(),
  });
  const terminal = new HostTerminal({
    stdin,
    stdout,
    mouse: settings["look.mouse"],
    paint: () => app.paint(),
    onInput: (bytes) => app.input(bytes),
    onLost: () => finish(129),
  });
  const onResize = (): void => app.resize(stdout.columns || 80, stdout.rows || 24);
  const signals = new ProcessSignals({
    onEnd: (code) => finish(code),
    onCrash: () => terminal.leaveSync(),
    leave: async () => {
      app.pause();
      await terminal.leave();
    },
    resume: () => {
      terminal.enter();
      onResize();
      app.start(terminal);
    },
  });

  const remote = new RemoteServer((line) => app.perform(line));
  await terminal.prepare();
  signals.install();
  const restoreConsole = quietConsole();
  try {
    terminal.enter();
    stdout.on("resize", onResize);
    app.start(terminal);
    remote
      .start()
      .catch((error) => app.tasks.fail(`no commands from outside: ${describeError(error)}`));
    for (const problem of problems) app.tasks.fail(problem);
    void options.leaveWith?.then(finish);
    const code = await finished;
    app.pause();
    await terminal.leave();
    signals.remove();
    return await endWork(app, stdout, code);
  } finally {
    stdout.off("resize", onResize);
    terminal.leaveSync();
    restoreConsole();
    terminal.close();
    remote.close();
    app.close();
    signals.remove();
  }
}

/**
 * A fork or snapshot that was begun is finished: half of one is worth nothing. A signal, before or
 * meanwhile, undoes it instead; a second Ctrl-C waits for nothing. Resolves to the exit code.
 */
async function endWork(app: App, stdout: NodeJS.WriteStream, code: number): Promise<number> {
  if (app.tasks.count === 0) return code;
  let exitCode = code;
  const abandon = (signal: NodeJS.Signals): void => {
    exitCode ||= 128 + constants.signals[signal];
    app.abandonWork();
  };
  process.once("SIGINT", abandon);
  // A terminal that goes away may send its signal more than once.
  process.on("SIGTERM", abandon).on("SIGHUP", abandon);
  if (code !== 0) app.abandonWork();
  else {
    const labels = app.state.tasks.map((task) => task.label).join(", ");
    stdout.write(`machinen: finishing: ${printable(labels)} (Ctrl-C leaves at once)\n`);
  }
  await app.tasks.settled();
  process.off("SIGINT", abandon).off("SIGTERM", abandon).off("SIGHUP", abandon);
  return exitCode;
}

import type { Host } from "../runtime/host/host.ts";
import { printable } from "../runtime/printable.ts";
import { App } from "./app.ts";
import { HostTerminal } from "./host-terminal.ts";
import { ProcessSignals } from "./process-signals.ts";
import { chooseLook } from "./terminal-look.ts";

export interface TuiOptions {
  host: Host;
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  /** Start so many machines when none is running. */
  bootWhenEmpty?: number;
}

/** Runs the TUI until the user leaves it; resolves to the exit code. Machines keep running. */
export async function runTui(options: TuiOptions): Promise<number> {
  const { stdin, stdout } = options;
  const look = chooseLook(process.env);
  let finish: (code: number) => void = () => {};
  const finished = new Promise<number>((resolve) => {
    finish = resolve;
  });
  const app = new App({
    host: options.host,
    stdin,
    cols: stdout.columns || 80,
    rows: stdout.rows || 24,
    ...look,
    bootWhenEmpty: options.bootWhenEmpty ?? 0,
    onQuit: () => finish(0),
    onSuspend: () => void signals.suspend(),
  });
  const terminal = new HostTerminal({
    stdin,
    stdout,
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

  await terminal.prepare();
  signals.install();
  try {
    terminal.enter();
    stdout.on("resize", onResize);
    app.start(terminal);
    const code = await finished;
    app.pause();
    await terminal.leave();
    signals.remove();
    if (code === 0) await finishWork(app, stdout);
    return code;
  } finally {
    stdout.off("resize", onResize);
    terminal.leaveSync();
    terminal.close();
    app.close();
    signals.remove();
  }
}

/** A fork or snapshot that was begun is finished: half of one is worth nothing. Ctrl-C ends it. */
async function finishWork(app: App, stdout: NodeJS.WriteStream): Promise<void> {
  if (app.tasks.count === 0) return;
  const labels = app.state.tasks.map((task) => task.label).join(", ");
  stdout.write(`machinen: finishing: ${printable(labels)} (Ctrl-C leaves at once)\n`);
  await app.tasks.settled();
}

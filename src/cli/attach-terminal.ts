import type { Host } from "../runtime/host/host.ts";
import { Attachment, Sandboxes } from "../runtime/multiplex/index.ts";
import type { Context } from "./command.ts";
import { RestoredScreen } from "./restored-screen.ts";
import { freshScreen, terminalReset } from "./terminal-reset.ts";

/** The replay comes in several pieces; it is drawn when no more follows for this long. */
const replayQuietMs = 15;

/** Draws what a session showed before us, once all of it is here. */
class ReplayDrawing {
  private screen: RestoredScreen | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly stdout: NodeJS.WriteStream;

  constructor(stdout: NodeJS.WriteStream) {
    this.stdout = stdout;
  }

  add(replay: { cols: number; rows: number; bytes: Buffer; again: boolean }): void {
    if (replay.again) this.discard();
    this.screen ??= new RestoredScreen(replay.cols, replay.rows);
    this.screen.write(replay.bytes);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.finish(), replayQuietMs);
  }

  /** Live output comes next, or nothing. */
  finish(): void {
    const { columns, rows } = this.stdout;
    if (this.screen) this.stdout.write(freshScreen(rows) + this.screen.draw(columns, rows));
    this.discard();
  }

  private discard(): void {
    clearTimeout(this.timer);
    this.screen?.dispose();
    this.screen = undefined;
  }
}

/**
 * Joins the user's terminal with a session until its command ends or the detach key is typed twice.
 * Resolves to the session's exit code, or to nothing when the user left.
 */
export async function attachTerminal(
  host: Host,
  id: string,
  target: { name?: string; command?: string; detachKey: number; title: string },
  { stdin, stdout }: Pick<Context, "stdin" | "stdout">,
): Promise<number | undefined> {
  const { detachKey, title, ...wanted } = target;
  const replay = new ReplayDrawing(stdout);
  const session = await host.openSession(id, {
    ...wanted,
    cols: stdout.columns,
    rows: stdout.rows,
    onReplay: (part) => replay.add(part),
  });
  const sandboxes = new Sandboxes();
  sandboxes.add(id, session);
  // Before the attachment, whose listener shows the output.
  sandboxes.onOutput(id, () => replay.finish());
  const attachment = new Attachment({
    sandboxes,
    id,
    input: stdin,
    output: stdout,
    rawTty: true,
    forwardResize: true,
    detachKey,
  });
  let leave: () => void = () => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const onInput = (bytes: Buffer): void => {
    if (attachment.feed(bytes) !== undefined) leave();
  };
  // Killed or hung up: the terminal must be given back, the session goes on.
  // The window's title is the one place where a program leaves room for the way out.
  stdout.write(`\x1b[22;0t\x1b]0;${title}\x07`);
  process.on("SIGTERM", leave).on("SIGHUP", leave);
  stdin.on("data", onInput).on("end", leave);
  try {
    const end = await Promise.race([session.wait(), left]);
    return end ? (end.code ?? 1) : undefined;
  } finally {
    attachment.end();
    replay.finish();
    process.off("SIGTERM", leave).off("SIGHUP", leave);
    stdin.off("data", onInput).off("end", leave).pause();
    session.close();
    stdout.write(`${terminalReset(stdout.rows)}\x1b[23;0t`);
  }
}

import type { Host, SessionHandle } from "../runtime/host/host.ts";
import { DetachKey } from "../runtime/multiplex/index.ts";
import type { Context } from "./command.ts";
import { RestoredScreen } from "./restored-screen.ts";
import { freshScreen, terminalReset } from "./terminal-reset.ts";

/** The replay comes in several pieces; it is drawn when no more follows for this long. */
const replayQuietMs = 15;

export interface AttachEnd {
  /** The session's exit code, or nothing when the user detached. */
  exitCode?: number;
}

/** Joins the user's terminal with a session until its command ends or Ctrl-] Ctrl-] is typed. */
export async function attachTerminal(
  host: Host,
  id: string,
  { name, command }: { name?: string; command?: string },
  { stdin, stdout }: Pick<Context, "stdin" | "stdout">,
): Promise<AttachEnd> {
  let screen: RestoredScreen | undefined;
  let drawTimer: NodeJS.Timeout | undefined;

  function drawReplay(): void {
    clearTimeout(drawTimer);
    if (!screen) return;
    stdout.write(freshScreen(stdout.rows) + screen.draw(stdout.columns, stdout.rows));
    screen.dispose();
    screen = undefined;
  }

  const session: SessionHandle = await host.openSession(id, {
    ...(name === undefined ? {} : { name }),
    ...(command === undefined ? {} : { command }),
    cols: stdout.columns,
    rows: stdout.rows,
    onReplay: ({ cols, rows, bytes, again }) => {
      if (again) {
        screen?.dispose();
        screen = undefined;
      }
      screen ??= new RestoredScreen(cols, rows);
      screen.write(bytes);
      clearTimeout(drawTimer);
      drawTimer = setTimeout(drawReplay, replayQuietMs);
    },
  });

  const onOutput = (chunk: Buffer): void => {
    drawReplay();
    // A slow terminal slows the guest program down, as it would outside.
    if (stdout.write(chunk)) return;
    session.stdout.pause();
    stdout.once("drain", () => session.stdout.resume());
  };
  const onResize = (): void => session.resize(stdout.columns, stdout.rows);
  const cleanups: (() => void)[] = [];
  const detached = new Promise<"detached">((resolve) => {
    const detachKey = new DetachKey();
    const onInput = (chunk: Buffer): void => {
      const { forward, detach } = detachKey.feed(chunk);
      if (forward.length > 0) session.stdin.write(forward);
      if (detach) resolve("detached");
    };
    const leave = (): void => resolve("detached");
    stdin.on("data", onInput).on("end", leave);
    // Killed or hung up: the terminal must be given back, the session goes on.
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, leave);
    cleanups.push(() => {
      stdin.off("data", onInput).off("end", leave);
      for (const signal of ["SIGTERM", "SIGHUP"] as const) process.off(signal, leave);
    });
  });

  stdin.setRawMode(true);
  stdin.resume();
  stdout.on("resize", onResize);
  session.stdout.on("data", onOutput);
  try {
    const end = await Promise.race([session.wait(), detached]);
    return end === "detached" ? {} : { exitCode: end.code ?? 1 };
  } finally {
    drawReplay();
    for (const cleanUp of cleanups) cleanUp();
    stdout.off("resize", onResize);
    session.stdout.off("data", onOutput);
    session.close();
    stdin.setRawMode(false);
    stdin.pause();
    stdout.write(terminalReset(stdout.rows));
  }
}

import { PassThrough, type Readable, type Writable } from "node:stream";
import type { Host } from "../runtime/host/host.ts";
import { RestoredScreen } from "./restored-screen.ts";

export interface ListSession {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  resize(cols: number, rows: number): void;
}

/**
 * A machine's main session for the plain list. What stood on its screen comes first, as text: raw,
 * it would ask the user's terminal questions that were answered long ago.
 */
export async function openForList(
  host: Host,
  id: string,
  terminal: { columns?: number; rows?: number },
): Promise<ListSession> {
  const cols = terminal.columns || 80;
  const rows = terminal.rows || 24;
  const output = new PassThrough();
  const session = await host.openSession(id, {
    cols,
    rows,
    onReplay: (replay) => {
      const screen = new RestoredScreen(replay.cols, replay.rows);
      screen.write(replay.bytes);
      output.write(screen.text());
      screen.dispose();
    },
  });
  session.stdout.pipe(output);
  session.wait().then(
    () => output.end(),
    () => output.end(),
  );
  return {
    stdin: session.stdin,
    stdout: output,
    stderr: output,
    resize: (newCols, newRows) => session.resize(newCols, newRows),
  };
}

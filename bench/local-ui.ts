import { runTui } from "../src/ui/index.ts";
import { PtyHost } from "../test/ui/support/pty-host.ts";

/**
 * The real TUI over shells on local PTYs, so that it and tmux are measured on the same programs;
 * a guest under software emulation would be the slowest part of the comparison.
 */
export async function runLocalUi(): Promise<number> {
  const host = new PtyHost();
  await host.boot({ name: "local" });
  try {
    return await runTui({ host, stdin: process.stdin, stdout: process.stdout });
  } finally {
    await host.close();
  }
}

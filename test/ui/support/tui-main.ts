import { runTui } from "../../../src/ui/index.ts";
import { PtyHost } from "./pty-host.ts";

/**
 * The real TUI over local shells, run by the end-to-end tests. SIGUSR1 adds a machine and SIGUSR2
 * ends one behind the TUI's back; SIGALRM is a fault in our own code.
 */
const host = new PtyHost({
  delayMs: Number(process.env.TEST_DELAY_MS ?? 0),
  snapshotError: process.env.TEST_SNAPSHOT_ERROR
    ? Object.assign(new Error("the disk is full; free some space and press s again"), {
        code: process.env.TEST_SNAPSHOT_ERROR,
      })
    : undefined,
});
for (let index = 1; index <= Number(process.env.TEST_MACHINES ?? 0); index++) {
  await host.boot({ name: `m${index}` });
}
process.on("SIGUSR1", () => void host.boot({ name: "outside" }));
process.on("SIGUSR2", async () => {
  const last = (await host.list()).at(-1);
  if (last) await host.stop(last.id);
});
process.on("SIGALRM", () => {
  throw new Error("a fault in the interface");
});
const code = await runTui({
  host,
  stdin: process.stdin,
  stdout: process.stdout,
  bootWhenEmpty: Number(process.env.TEST_BOOT_WHEN_EMPTY ?? 0),
});
const left = (await host.list()).map(({ name }) => name).join(" ");
process.stdout.write(`LEFT ${left}.\n`);
await host.close();
process.exit(code);

import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { VsockExec, VsockFiles, VsockSecrets, VsockWinsize } from "../../src/runtime/index.ts";
import { useScratchDirectory } from "../runtime/files/trees.ts";

const scratch = useScratchDirectory();
afterEach(() => vi.useRealTimers());

type Attempt = (path: string, opts: { retryMs?: number }) => Promise<unknown>;
const clients: Array<[string, Attempt]> = [
  ["a command", (path, opts) => VsockExec.run(path, "true", opts)],
  ["files", (path, opts) => VsockFiles.pull(path, "/x", join(path, "x"), opts)],
  ["secrets", (path, opts) => VsockSecrets.send(path, { A: "b" }, opts)],
  ["the window size", (path, opts) => VsockWinsize.connect(path, opts)],
];

/** How long is waited between the first attempts, on a clock that only we move. */
async function pauses(attempt: () => Promise<unknown>): Promise<number[]> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const asked: number[] = [];
  const { setTimeout: fake } = globalThis;
  const noting = (run: () => void, ms = 0) => {
    asked.push(ms);
    return fake(run, ms);
  };
  globalThis.setTimeout = noting as unknown as typeof setTimeout;
  const ended = attempt().catch(() => {});
  // The first of them is the limit of the whole. Attempts are real: each takes turns of the real event loop.
  while (asked.length < 12) {
    await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(1);
  }
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
  await ended;
  return asked.slice(1, 12);
}

test.each(clients)(
  "%s: a guest that is not there is asked soon, then every 250 ms",
  async (_, attempt) => {
    const absent = scratch("absent");
    expect(await pauses(() => attempt(absent, {}))).toEqual([
      ...[5, 10, 20, 40, 80, 160],
      ...[250, 250, 250, 250, 250],
    ]);
  },
);

test.each(clients)("%s: no later than the caller says", async (_, attempt) => {
  const asked = await pauses(() => attempt(scratch("absent"), { retryMs: 30 }));
  expect(asked).toEqual([5, 10, 20, ...Array(8).fill(30)]);
});

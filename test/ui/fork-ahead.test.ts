import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ForkAhead } from "../../src/ui/fork-ahead.ts";
import { PtyHost } from "./support/pty-host.ts";

const host = new PtyHost();
beforeEach(() => {
  vi.useFakeTimers();
  host.prepared.length = 0;
});
afterEach(() => void vi.useRealTimers());

it("prepares the machine the user stays with, once", async () => {
  const [one, two] = [await host.boot({ name: "one" }), await host.boot({ name: "two" })];
  const ahead = new ForkAhead(host);
  ahead.select(one);
  vi.advanceTimersByTime(100);
  ahead.select(two);
  for (let ms = 0; ms < 3000; ms += 100) {
    ahead.select({ ...two, rssBytes: ms });
    vi.advanceTimersByTime(100);
  }
  expect(host.prepared).toEqual([two.id]);
});

it("waits for a machine that boots, and leaves it when the screen is given away", async () => {
  const machine = await host.boot({ name: "three" });
  const ahead = new ForkAhead(host);
  ahead.select({ ...machine, state: "booting" });
  vi.advanceTimersByTime(3000);
  expect(host.prepared).toEqual([]);
  ahead.select(machine);
  ahead.stop();
  vi.advanceTimersByTime(3000);
  expect(host.prepared).toEqual([]);
  ahead.select(machine);
  vi.advanceTimersByTime(3000);
  expect(host.prepared).toEqual([machine.id]);
});

it("a machine that cannot be prepared is no error", async () => {
  const machine = await host.boot({ name: "four" });
  await host.stop(machine.id);
  new ForkAhead(host).select(machine);
  await vi.advanceTimersByTimeAsync(3000);
  expect(host.prepared).toEqual([]);
});

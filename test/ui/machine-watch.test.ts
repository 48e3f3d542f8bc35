import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Host, MachineInfo } from "../../src/runtime/host/host.ts";
import { MachineWatch } from "../../src/ui/machine-watch.ts";

let asked: number[] = [];
let machines: MachineInfo[] = [];
let tell: (() => void) | undefined;
let watch: MachineWatch;

const running: MachineInfo = { id: "7", pid: 7, state: "running", startedAt: 0 };

function start(options: { tells: boolean; listMs?: number }): void {
  const begin = performance.now();
  const host = {
    list: async () => {
      asked.push(performance.now() - begin);
      if (options.listMs) await new Promise((resolve) => setTimeout(resolve, options.listMs));
      return machines;
    },
    watch: (onChange: () => void) => {
      if (!options.tells) return undefined;
      tell = onChange;
      return () => {
        tell = undefined;
      };
    },
  } as Partial<Host> as Host;
  watch = new MachineWatch({ host, seldom: true, onList: () => {}, onError: () => {} });
  watch.start();
}

/** When it asked in the next so many milliseconds. */
async function during(ms: number): Promise<number[]> {
  const before = asked.length;
  await vi.advanceTimersByTimeAsync(ms);
  return asked.slice(before);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  asked = [];
  machines = [running];
});

afterEach(() => {
  watch.stop();
  vi.useRealTimers();
});

it("asks every five seconds, and every second for a while after a change of ours", async () => {
  start({ tells: true });
  expect(await during(6000)).toEqual([5000]);
  expect(asked[0]).toBe(0);
  watch.refresh();
  expect(await during(14_000)).toEqual([7000, 8000, 9000, 14_000, 19_000]);
});

it("asks every second a host that does not tell, or in which a machine boots", async () => {
  start({ tells: false });
  expect(await during(6000)).toEqual([1000, 2000, 3000, 4000, 5000, 6000]);
  watch.stop();
  machines = [running, { ...running, id: "8", state: "booting" }];
  start({ tells: true });
  expect(await during(6000)).toEqual([1000, 2000, 3000, 4000, 5000, 6000]);
});

it("asks soon after it was told of a change, once for several", async () => {
  start({ tells: true });
  await during(9000);
  for (let n = 0; n < 3; n++) {
    tell?.();
    await during(30);
  }
  expect(await during(2000)).toEqual([9100, 10_100]);
});

it("asks again when something changed while it was being answered", async () => {
  start({ tells: true, listMs: 500 });
  await during(100);
  tell?.();
  expect(await during(600)).toEqual([600]);
  watch.refresh();
  expect(await during(500)).toEqual([1100]);
});

it("does not ask or listen once it is stopped, and does again when it is started", async () => {
  start({ tells: true });
  await during(100);
  watch.stop();
  expect(tell).toBeUndefined();
  expect(await during(10_000)).toEqual([]);
  watch.start();
  expect(tell).toBeDefined();
  expect(asked.at(-1)).toBe(10_100);
});

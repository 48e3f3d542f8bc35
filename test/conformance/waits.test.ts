import { join } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";

/** How long the library has said it would sleep. */
const asked: unknown[] = [];
vi.mock("node:timers/promises", async (original) => {
  const real = await original<typeof import("node:timers/promises")>();
  const setTimeout = (ms?: number, ...rest: []) => {
    asked.push(ms);
    return real.setTimeout(ms, ...rest);
  };
  return { ...real, default: { ...real, setTimeout }, setTimeout };
});

const { boot, restore } = await import("../../src/runtime/index.ts");
const { bases } = await import("../runtime/machine/bases.ts");
const { useScratch } = await import("../runtime/machine/scratch.ts");
const scratch = useScratch();
const sleeper = { binary: "/bin/sleep", args: ["1000"] };

beforeEach(() => {
  asked.length = 0;
});
afterAll(() => scratch.remove());

test("wait() waits 60 s unless told otherwise, and for ever when told null", async () => {
  const vm = await boot(sleeper);
  const ended = vm.wait();
  expect(asked).toContain(60_000);
  await vm.kill();
  expect(await ended).toEqual({ code: null, signal: "SIGKILL" });

  asked.length = 0;
  const patient = await boot({ ...sleeper, timeoutMs: null });
  const patientEnd = patient.wait();
  const hurried = await boot({ ...sleeper, timeoutMs: 12_345 });
  const hurriedEnd = hurried.wait();
  expect(asked).toContain(12_345);
  expect(asked).not.toContain(60_000);
  await Promise.all([patient.kill(), hurried.kill()]);
  await Promise.all([patientEnd, hurriedEnd]);
});

test("no limit is too long for a timer: the machine is not killed at once", async () => {
  for (const timeoutMs of [2 ** 31, Number.POSITIVE_INFINITY]) {
    const vm = await boot({ ...sleeper, timeoutMs });
    const ended = vm.wait();
    expect(asked).toEqual([]);
    await vm.kill();
    expect(await ended).toEqual({ code: null, signal: "SIGKILL" });
    asked.length = 0;
  }
});

test.each(bases)(
  "wait() of a fork waits for ever unless told otherwise, that of a restored machine 60 s ($name)",
  async ({ name, options }) => {
    const vm = await boot(options);
    const [patient, hurried] = [await vm.fork(), await vm.fork({ timeoutMs: 12_345 })];
    try {
      asked.length = 0;
      const ends = [patient.wait()];
      expect(asked).toEqual([]);
      ends.push(hurried.wait());
      expect(asked).toEqual([12_345]);
      await Promise.all([patient.kill(), hurried.kill()]);
      for (const end of ends) expect((await end).signal).toBe("SIGKILL");

      const { snapDir } = await vm.snapshot({
        outDir: join(scratch.path, `kept-${name}`),
        leaveRunning: true,
      });
      const restored = await restore({ snapDir });
      asked.length = 0;
      const ended = restored.wait();
      expect(asked).toEqual([60_000]);
      await restored.kill();
      expect((await ended).signal).toBe("SIGKILL");
    } finally {
      await Promise.all([vm, patient, hurried].map((machine) => machine.kill()));
    }
  },
);

test("snapshot() takes 90 s at most unless told otherwise", async () => {
  const vm = await boot(sleeper);
  try {
    const outDir = join(scratch.path, "bundle");
    await expect(vm.snapshot({ outDir })).rejects.toMatchObject({ code: "SNAPSHOT_DUMP_FAILED" });
    expect(asked).toContain(90_000);
    await vm.snapshot({ outDir, timeoutMs: 54_321 }).catch(() => {});
    expect(asked).toContain(54_321);
  } finally {
    await vm.kill();
  }
});

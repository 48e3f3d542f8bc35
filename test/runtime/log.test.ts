import { expect, it } from "vitest";
import { type LogEvent, PhaseTimer } from "../../src/runtime/log.ts";

it("reports the steps in order, once, with a total", () => {
  const events: LogEvent[] = [];
  const timer = new PhaseTimer("boot", (event) => events.push(event));
  timer.mark("spawn");
  timer.mark("pack.cpio", 7);
  timer.mark("pack");
  timer.mark("pack.cpio", 3);
  timer.flush();
  timer.flush();
  expect(events).toHaveLength(1);
  const event = events[0]!;
  if (event.source !== "phase") throw new Error("not a phase event");
  expect([...event.phases.keys()]).toEqual(["spawn", "pack.cpio", "pack"]);
  expect(event.phases.get("pack.cpio")).toBe(10);
  expect(event.kind).toBe("boot");
  const own = event.phases.get("spawn")! + event.phases.get("pack")!;
  expect(event.totalMs).toBeGreaterThanOrEqual(own);
});

it("does without a listener", () => {
  const timer = new PhaseTimer("restore");
  timer.mark("load");
  expect(() => timer.flush()).not.toThrow();
});

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FrameLoop } from "../../src/ui/loop.ts";

let drawn: number[] = [];
let loop: FrameLoop;
let drawMs = 0;

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setImmediate", "clearImmediate", "performance"],
  });
  drawn = [];
  drawMs = 0;
  const start = performance.now();
  loop = new FrameLoop(() => {
    drawn.push(performance.now() - start);
    vi.advanceTimersByTime(drawMs);
  });
});

afterEach(() => {
  loop.stop();
  vi.useRealTimers();
});

it("draws at once after a pause, then every 16 ms, and rests when nothing is new", () => {
  for (let ms = 0; ms < 40; ms++) {
    loop.soon();
    vi.advanceTimersByTime(1);
  }
  vi.advanceTimersByTime(1000);
  expect(drawn).toEqual([0, 16, 32, 48]);
  expect(vi.getTimerCount()).toBe(0);
});

it("draws the answer to a key at once, also when other frames were drawn since the key", () => {
  loop.soon();
  vi.advanceTimersByTime(10);
  loop.expectAnswer();
  loop.soon();
  vi.advanceTimersByTime(7);
  expect(drawn).toEqual([0, 16]);
  loop.answered();
  expect(loop.urgent).toBe(true);
  vi.advanceTimersByTime(0);
  expect(drawn).toEqual([0, 16, 17]);
  expect(loop.urgent).toBe(false);
});

it("awaits the answer to a key for a few milliseconds", () => {
  expect(loop.awaiting).toBe(false);
  loop.expectAnswer();
  vi.advanceTimersByTime(4);
  expect(loop.awaiting).toBe(true);
  vi.advanceTimersByTime(1);
  expect(loop.awaiting).toBe(false);
  loop.expectAnswer();
  loop.answered();
  expect(loop.awaiting).toBe(false);
});

it("draws further pieces of an answer soon, and output long after the key like any other", () => {
  loop.expectAnswer();
  loop.answered();
  vi.advanceTimersByTime(1);
  loop.soon();
  loop.answered();
  vi.advanceTimersByTime(20);
  expect(drawn).toEqual([0, 4]);
  vi.advanceTimersByTime(100);
  loop.answered();
  vi.advanceTimersByTime(1);
  loop.answered();
  vi.advanceTimersByTime(100);
  expect(drawn).toEqual([0, 4, 121, 137]);
});

it("leaves most of the time to others when drawing takes long, but not the answer to a key", () => {
  drawMs = 10;
  loop.soon();
  vi.advanceTimersByTime(0);
  loop.soon();
  vi.advanceTimersByTime(100);
  expect(drawn).toEqual([0, 80]);
  loop.expectAnswer();
  loop.answered();
  vi.advanceTimersByTime(0);
  expect(drawn).toEqual([0, 80, 120]);
});

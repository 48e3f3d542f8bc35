import { afterAll, expect, test } from "vitest";
import { soak } from "../../../bench/soak.ts";
import { useScratch } from "../machine/scratch.ts";

const scratch = useScratch();
afterAll(() => scratch.remove());

test("every fork of a machine that computes and writes to disk and memory is whole, and so is the machine", async () => {
  const { times, failures } = await soak(3, () => {});
  expect(failures).toEqual([]);
  expect(times).toHaveLength(3);
  expect(scratch.runDirs()).toEqual([]);
}, 300_000);

import { afterAll, expect, test } from "vitest";
import { soak } from "../../../bench/soak.ts";
import { bases } from "../machine/bases.ts";
import { useScratch } from "../machine/scratch.ts";

const scratch = useScratch();
afterAll(() => scratch.remove());

test.each(bases)(
  "every fork of a machine of the $name base that computes and writes to disk and memory is whole, and so is the machine",
  async ({ name }) => {
    const { times, failures } = await soak(3, name, () => {});
    expect(failures).toEqual([]);
    expect(times).toHaveLength(3);
    expect(scratch.runDirs()).toEqual([]);
  },
  300_000,
);

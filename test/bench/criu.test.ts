import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { HELD_MIB, HOLDER, parseCopy } from "../../bench/criu.ts";
import { scratchDirectory } from "../vmm/machine.ts";

const scratch = scratchDirectory();
afterAll(() => scratch.remove());

test("the process that is dumped holds its memory and counts what it is asked", async () => {
  execFileSync("mkfifo", ["pid", "reply"], { cwd: scratch.path });
  const holder = spawn("perl", ["-e", HOLDER], {
    cwd: scratch.path,
    env: { ...process.env, PERL_SIGNALS: "unsafe" },
    stdio: "ignore",
  });
  const gone = once(holder, "exit");
  try {
    expect(await readFile(join(scratch.path, "pid"), "utf8")).toBe(`${holder.pid}\n`);
    const status = readFileSync(`/proc/${holder.pid}/status`, "utf8");
    const mib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) / 1024;
    expect(mib).toBeGreaterThan(HELD_MIB);
    expect(mib).toBeLessThan(HELD_MIB + 16);
    for (const answer of ["1\n", "2\n", "3\n"]) {
      holder.kill("SIGUSR1");
      expect(await readFile(join(scratch.path, "reply"), "utf8")).toBe(answer);
    }
  } finally {
    holder.kill("SIGKILL");
    await gone;
  }
});

const printed = (answers: string) => `Displaying dump stats:
Freezing time: 1128 us
Frozen time: 242719 us
times 1795366947.655000 1795366947.974000 1795366948.284000 answers ${answers}
`;

test("the times of a copy are read when it and its source go on from where the source stood", () => {
  const times = parseCopy(printed("3 3"), 3);
  expect(times.dump).toBeCloseTo(319, 1);
  expect(times.still).toBeCloseTo(242.719);
  expect(times.restore).toBeCloseTo(310, 1);
});

test.each([
  ["a copy that starts anew", printed("1 3")],
  ["a source that starts anew", printed("3 1")],
  ["a restore that failed", `Error (criu/x.c:1): no\n${printed("failed 3")}`],
  ["no statistics", printed("3 3").replace(/^Frozen.*$/m, "")],
  ["nothing", ""],
])("%s is no figure", (_, output) => {
  expect(() => parseCopy(output, 3)).toThrow(/question 3/);
});

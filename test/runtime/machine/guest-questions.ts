import { expect } from "vitest";
import type { Machine, VmHandle } from "../../../src/runtime/machine/vm-handle.ts";
import { until } from "../../vmm/machine.ts";
import type { Base } from "./bases.ts";

/** How many lines of the arguments of the guest's processes hold this word. */
export async function countProcesses(vm: Machine, word: string): Promise<number> {
  // The brackets keep the pattern from finding the command that looks for it. Not ps: each base has another.
  const pattern = `[${word[0]}]${word.slice(1)}`;
  const { stdout } = await vm.execRaw(
    `cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -c -- '${pattern}'`,
  );
  return Number(stdout);
}

/** A clock is set to what it was when that was sent, and what is asked takes its time: neither is the clock's fault. */
const CLOCK_SLACK_S = 5;

/** The wall clock of the guest shows a time between the question and the answer. */
export async function expectRightTime(vm: VmHandle): Promise<void> {
  const asked = Date.now() / 1000;
  const { stdout } = await vm.exec("date +%s");
  const answered = Date.now() / 1000;
  expect(Number(stdout)).toBeGreaterThan(asked - CLOCK_SLACK_S);
  expect(Number(stdout)).toBeLessThan(answered + CLOCK_SLACK_S);
}

/** Start the base's echo service in the guest and wait until it listens. */
export async function startEcho(vm: Machine, base: Base, port: number): Promise<void> {
  await vm.exec(`${base.echoServer(port)} >/dev/null 2>&1 </dev/null &`);
  const line = `:${port.toString(16).toUpperCase().padStart(4, "0")} .* 0A `;
  await until(
    `port ${port} in the guest`,
    async () => /\d/.test((await vm.execRaw(`grep '${line}' /proc/net/tcp /proc/net/tcp6`)).stdout),
    60_000,
  );
}

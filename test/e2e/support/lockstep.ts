import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Progress, progress } from "./process-io.ts";
import type { SideBySide } from "./side-by-side.ts";

/** Long enough for a test of a test program that sleeps on purpose, on a loaded machine. */
const DEADLINE_MS = 60_000;
const STEADY_LOOKS = 3;
const LOOK_MS = 15;

/**
 * One program on both sides that only ever waits for its terminal. It gets the next keys when both
 * have read all earlier ones, have written the same, and wait: a key that came before would be read
 * by something else than it was meant for.
 */
export class Lockstep {
  private readonly both: SideBySide;
  private readonly pids: number[];
  private readonly starts: Progress[];
  private readonly trace: string[] = [];

  constructor(both: SideBySide) {
    this.both = both;
    this.pids = both.programs();
    this.starts = this.pids.map(progress);
  }

  /** Types; then both have to come to a place where `ready` holds, and to show the same. */
  async type(keys: string, ready: () => boolean = () => true): Promise<void> {
    const [before] = this.since();
    this.both.write(keys);
    this.trace.push(JSON.stringify(keys));
    await this.steady(() => {
      const [pane, bare] = this.since();
      const even = pane!.read === bare!.read && pane!.written === bare!.written;
      return even && pane!.read >= before!.read + keys.length && ready();
    });
    await this.both.same(this.trace.slice(-6).join(" "));
  }

  private since(): Progress[] {
    return this.pids.map((pid, i) => {
      const { read, written } = progress(pid);
      return { read: read - this.starts[i]!.read, written: written - this.starts[i]!.written };
    });
  }

  /** Until nothing changes any more while both wait and the condition holds. */
  private async steady(condition: () => boolean): Promise<void> {
    const end = performance.now() + DEADLINE_MS;
    let looks = 0;
    let last = "";
    while (looks < STEADY_LOOKS) {
      await sleep(LOOK_MS);
      const holds = this.pids.every(waitsForInput) && condition();
      const now = `${JSON.stringify(this.since())}${this.both.bareText()}`;
      looks = holds && now === last ? looks + 1 : 0;
      last = now;
      if (performance.now() < end) continue;
      const where = `after ${this.trace.slice(-6).join(" ")}: ${JSON.stringify(this.since())}`;
      throw new Error(`never came to rest ${where}\n${this.both.bareText()}`);
    }
  }
}

/** In read(2) of its standard input. */
function waitsForInput(pid: number): boolean {
  return readFileSync(`/proc/${pid}/syscall`, "utf8").startsWith("0 0x0 ");
}

import { readlinkSync } from "node:fs";
import { basename } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bases } from "../runtime/machine/bases.ts";
import type { OuterTerminal } from "../ui/support/outer-terminal.ts";
import { attach, detach, onTerminal, pane } from "./support/screen.ts";
import { eventually, World } from "./support/world.ts";

describe.each(bases)("the screen on the $name base", (base) => {
  let world: World;
  let outer: OuterTerminal | undefined;
  beforeEach(() => {
    world = new World(base);
  });
  afterEach(() => {
    outer?.kill("SIGKILL");
    outer = undefined;
    world.dispose();
  });

  const isNode = (pid: number): boolean => basename(readlinkSync(`/proc/${pid}/exe`)) === "node";

  /** Also of a cold boot beside other work. */
  const CONSOLE_READY = 120_000;

  async function expectGivenBack(): Promise<void> {
    await outer!.until("GIVEN BACK\nEXIT 0");
    expect(outer!.alternateScreen).toBe(false);
    expect(outer!.screen.modes.mouseTrackingMode).toBe("none");
    expect(outer!.screen.modes.bracketedPasteMode).toBe(false);
    expect(outer!.lastIs("\x1b[?25h", "\x1b[?25l")).toBe(true);
  }

  test("two machines, a shell variable, a fork that has it, and everything is there the next time", async () => {
    outer = onTerminal(world, "tui --boot 2");
    await outer.until(
      () => /root@m1/.test(pane(outer!, "m1")) && /root@m2/.test(pane(outer!, "m2")),
      CONSOLE_READY,
    );
    await attach(outer);
    await outer.type(..."secret=forty-two; echo set", "\r");
    await outer.until(() => /^set$/m.test(pane(outer!, "m1")));
    await detach(outer);
    await outer.type("f");
    await outer.until(() => pane(outer!, "m1.1") !== "", CONSOLE_READY);
    await outer.until(() => /^set$/m.test(pane(outer!, "m1.1")));
    expect(pane(outer, "m1.1").trim()).toBe(pane(outer, "m1").trim());

    await attach(outer);
    await outer.type(..."echo got $secret in $(hostname)", "\r");
    await outer.until(() => /got forty-two in m1\.1\n.*# *$/.test(pane(outer!, "m1.1").trimEnd()));
    expect(pane(outer, "m1")).not.toContain("got forty-two");
    await detach(outer);
    const before = ["m1", "m1.1", "m2"].map((name) => pane(outer!, name).trim());
    await outer.type("q");
    await expectGivenBack();
    outer.kill("SIGKILL");

    expect((await world.machines()).map(({ name }) => name).sort()).toEqual(["m1", "m1.1", "m2"]);
    outer = onTerminal(world, "");
    const same = (): boolean =>
      ["m1", "m1.1", "m2"].every((name, i) => pane(outer!, name).trim() === before[i]);
    await outer.until(same, CONSOLE_READY);
    await outer.type("q");
    await expectGivenBack();

    for (const name of ["m1", "m1.1", "m2"]) await world.ok(["stop", name]);
    expect(await world.machines()).toEqual([]);
  });

  test("kill -9 of the TUI leaves the machines, and the next TUI shows them", async () => {
    await world.boot("one");
    outer = onTerminal(world, "");
    await outer.until(() => /root@one/.test(pane(outer!, "one")), CONSOLE_READY);
    const tui = world
      .processes()
      .filter((pid) => pid !== outer!.pid)
      .find((pid) => isNode(pid));
    process.kill(tui!, "SIGKILL");
    // The shell says so on the screen that its watchdog is about to put away, or after that.
    await outer.until(() => outer!.raw.includes("EXIT 137"), CONSOLE_READY);
    outer.kill("SIGKILL");
    outer = onTerminal(world, "");
    await outer.until(() => /root@one/.test(pane(outer!, "one")), CONSOLE_READY);
    await outer.type("q");
    await expectGivenBack();
    await world.ok(["stop", "one"]);
    await eventually("the machine is gone", async () => (await world.machines()).length === 0);
  });

  test("a signal to the TUI leaves no half-made machine, and every finished one", async () => {
    // A cold boot takes long enough to be caught half-way.
    world.env.MACHINEN_TEMPLATES = "0";
    outer = onTerminal(world, "tui --boot 1");
    await outer.until(() => /root@m1/.test(pane(outer!, "m1")), CONSOLE_READY);
    const before = world.processes().length;
    await outer.type("n");
    await outer.until("starting a machine…", CONSOLE_READY);
    await eventually("the new machine's VMM runs", async () => world.processes().length > before);
    const tui = world
      .processes()
      .filter((pid) => pid !== outer!.pid)
      .find((pid) => isNode(pid));
    process.kill(tui!, "SIGTERM");
    await outer.until("EXIT 143", CONSOLE_READY);
    expect((await world.machines()).map(({ name }) => name)).toEqual(["m1"]);
    // What is left is the first machine and the shell around the TUI, without the TUI's watchdog.
    await eventually("nothing else runs", async () => world.processes().length < before);
    await world.ok(["stop", "m1"]);
  });
});

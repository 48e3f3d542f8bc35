import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bases } from "../runtime/machine/bases.ts";
import type { OuterTerminal } from "../ui/support/outer-terminal.ts";
import { attach, detach, onTerminal, pane } from "./support/screen.ts";
import { World } from "./support/world.ts";

describe.each(bases)("a comparison on the $name base", (base) => {
  const world = new World(base);
  let outer: OuterTerminal;
  const READY = 60_000;

  beforeAll(async () => {
    await world.boot("m1");
    outer = onTerminal(world, "tui");
    await outer.until(() => /root@m1/.test(pane(outer, "m1")), READY);
  }, 120_000);
  afterAll(() => {
    outer.kill("SIGKILL");
    world.dispose();
  });

  test("a fork beside its source, typed into both, differences marked, listed and read; one is kept", async () => {
    await outer.type("f");
    await outer.until(() => pane(outer, "m1.1") !== "", READY);
    await outer.type("c");
    await outer.until("2 compare");
    await outer.until(
      () => /root@m1/.test(pane(outer, "m1")) && /root@m1/.test(pane(outer, "m1.1")),
    );

    await outer.type("=");
    await outer.until("what is typed goes to every pane here");
    // Nobody is to type into several machines unknowingly: it is marked for as long as it lasts.
    await outer.type("k", "j");
    await outer.until(() => !outer.text().includes("what is typed goes"));
    await outer.until(/ » keys go to 2 panes /);
    await outer.until(/ 2 compare » /);
    await outer.until(/╭─ m1 ─+ » ─╮╭─ m1\.1 ─+ » ─╮/);
    await outer.type("\r");
    await outer.until("all panes of the tab");
    await outer.type(..."echo this is $(hostname) > /root/who; cat /root/who; false", "\r");
    await outer.until(
      () => /^this is m1$/m.test(pane(outer, "m1")) && /^this is m1\.1$/m.test(pane(outer, "m1.1")),
    );
    await detach(outer);

    await outer.type("=", "d");
    await outer.until(() => / 2 compare ≠ /.test(outer.text()) && !outer.text().includes("»"));
    await attach(outer);
    await outer.type(..."only=one; export only; sleep 1000 &", "\r");
    await outer.until(
      () => /sleep 1000/.test(pane(outer, "m1.1")) !== /sleep 1000/.test(pane(outer, "m1")),
    );
    await detach(outer);

    await outer.type("D");
    await outer.until(/~ \/root\/who {2}\(content, both\)/, READY);
    await outer.until(/sleep 1000/);
    await outer.type("j", "\r");
    await outer.until(/-this is m1\n?/);
    await outer.until("+this is m1.1");
    await outer.until(() => !outer.lines().at(-1)!.includes("Enter open"));
    await outer.type("\x1b");
    await outer.until("Enter open a file");
    await outer.type("\x1b");
    await outer.until(() => !outer.text().includes("Enter open a file"));

    const text = await world.ok(["diff", "m1", "m1.1", "/root", "--patch"]);
    expect(text).toContain("C /root/who");
    expect(text).toContain("+this is m1.1");

    await outer.type("Y");
    await outer.until(/Keep m1(\.1)? and stop/);
    await outer.type("s");
    await outer.until("u brings them back", READY);
    await outer.until("1 running", READY);
    expect(await world.machines()).toHaveLength(1);
    await outer.type("u");
    await outer.until("is back as it was in", READY);
    await outer.until("2 running", READY);
    expect(await world.machines()).toHaveLength(2);
  }, 300_000);
});

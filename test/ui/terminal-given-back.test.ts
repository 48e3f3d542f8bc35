import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OuterTerminal } from "./support/outer-terminal.ts";
import { useTui } from "./support/use-tui.ts";

const tui = useTui();
const { start, expectGivenBack } = tui;

describe("the terminal is given back", () => {
  it.each([
    ["SIGTERM", 143],
    ["SIGHUP", 129],
    ["SIGINT", 130],
  ] as const)("after %s", async (signal, code) => {
    const outer = await start();
    await outer.until("m2$");
    await outer.type("\r");
    await outer.until("attached");
    process.kill(tui.pid(), signal);
    await expectGivenBack(outer, code);
  });

  it("at once when work is under way, which is finished afterwards", async () => {
    const outer = await start({ TEST_DELAY_MS: "1500" });
    await outer.until("m2$");
    await outer.type("n", "q");
    await outer.until("finishing: starting a machine");
    expect(outer.alternateScreen).toBe(false);
    await expectGivenBack(outer, 0);
  });

  it("at once when work is under way, which a Ctrl-C undoes", async () => {
    const outer = await start({ TEST_DELAY_MS: "1500" });
    await outer.until("m2$");
    await outer.type("n", "q");
    await outer.until("finishing: starting a machine");
    await outer.type("\x03");
    await outer.until("LEFT m1 m2.");
  });

  it("when it goes away, and what was under way is undone", async () => {
    const outer = await start({ TEST_DELAY_MS: "1500" });
    await outer.until("m2$");
    await outer.type("f");
    await outer.until("forking m1…");
    process.kill(tui.pid(), "SIGHUP");
    await outer.until("LEFT m1 m2.");
    await expectGivenBack(outer, 129);
  });

  it("while it is suspended, and taken again afterwards", async () => {
    const stopped = join(tui.directory, "stopped");
    const outer = new OuterTerminal(
      `set -m; "${process.execPath}" "${tui.script}"; stty -a >"${stopped}"; echo STOPPED
      read -r line; fg; echo EXIT; sleep 60`,
      { TEST_MACHINES: "2", XDG_STATE_HOME: tui.directory, XDG_CONFIG_HOME: tui.directory },
      120,
      34,
      "/bin/bash",
    );
    tui.keep(outer);
    await outer.until("m2$");
    await outer.type("\x1a");
    await outer.until("STOPPED");
    expect(outer.alternateScreen).toBe(false);
    expect(outer.screen.modes.mouseTrackingMode).toBe("none");
    expect(readFileSync(stopped, "utf8")).toMatch(/ icanon/);
    await outer.type("\r");
    await outer.until("m2$");
    expect(outer.alternateScreen).toBe(true);
    await outer.type("j");
    await outer.until("▸● m2");
    await outer.type("q");
    await outer.until("EXIT");
  });

  it("after a kill -9", async () => {
    const outer = await start();
    await outer.until("m2$");
    process.kill(tui.pid(), "SIGKILL");
    await outer.until(() => !outer.alternateScreen);
    await outer.until(() => outer.lastIs("\x1b[?25h", "\x1b[?25l"));
    expect(outer.screen.modes.mouseTrackingMode).toBe("none");
    // The shell may have said so on the screen that was put away.
    await outer.until(() => outer.raw.includes("EXIT 137"));
  });

  it("after a crash, which is told", async () => {
    const outer = await start();
    await outer.until("m2$");
    process.kill(tui.pid(), "SIGALRM");
    await expectGivenBack(outer, 1);
    expect(outer.text()).toContain("the interface crashed; the machines keep running");
  });
});

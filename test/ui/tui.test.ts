import { describe, expect, it } from "vitest";
import { detach, useTui } from "./support/use-tui.ts";

const tui = useTui();
const { start, expectGivenBack } = tui;

describe("the TUI on a terminal", () => {
  it("attaches, types, detaches and quits, and gives the terminal back", async () => {
    const outer = await start();
    await outer.until(/m1\$[\s\S]*m2\$|m1\$.*m2\$/);
    expect(outer.alternateScreen).toBe(true);
    await outer.type("\r");
    await outer.until("attached");
    await outer.type(..."echo $((6*7))q", "\r");
    await outer.until("42q");
    expect(outer.lastIs("\x1b[?25h", "\x1b[?25l")).toBe(true);
    await outer.type(...detach);
    await outer.until(() => !outer.text().includes("attached"));
    await outer.type("j");
    await outer.until("▸● m2");
    await outer.type("q");
    await expectGivenBack(outer, 0);
  });

  it("lets the detach key attach nobody who is not attached", async () => {
    const outer = await start();
    await outer.until("m2$");
    await outer.type(...detach);
    await outer.until("nothing is attached");
    await outer.type("q");
    await expectGivenBack(outer, 0);
  });

  it("starts machines when asked to and none is there", async () => {
    const outer = await start({ TEST_MACHINES: "0", TEST_BOOT_WHEN_EMPTY: "2" });
    await outer.until("▸● m1");
    await outer.until("2 running");
    await outer.type("n");
    await outer.until("● m3");
  });

  it("says what to do when no machine runs", async () => {
    const outer = await start({ TEST_MACHINES: "0" });
    await outer.until("No machine is running.");
    expect(outer.lines().at(-1)).not.toContain("fork");
  });

  it("shows a fork beside its source with the same screen, and that it takes a while", async () => {
    const outer = await start({ TEST_DELAY_MS: "600", TEST_MACHINES: "1" });
    await outer.until("m1$");
    await outer.type("\r");
    await outer.until("attached");
    await outer.type(..."echo par''ent", "\r");
    await outer.until(/^.*│parent/m);
    await outer.type(...detach, "f");
    await outer.until("forking m1…");
    await outer.until("▸└ ● m1.1");
    await outer.until(/│parent +│{1,2}.*parent/);
    expect(outer.text()).not.toContain("forking m1…");
  });

  it("stops a machine only after a yes", async () => {
    const outer = await start();
    await outer.until("m2$");
    await outer.type("x");
    await outer.until("Stop m1?");
    await outer.type("n");
    await outer.until(() => !outer.text().includes("Stop m1?"));
    expect(outer.text()).toContain("● m1");
    await outer.type("x");
    await outer.until("Stop m1?");
    await outer.type("y");
    await outer.until("m1 is stopped");
    await outer.until("▸● m2");
    expect(outer.text()).not.toContain("● m1");
  });

  it("zooms, also a pane that is then attached", async () => {
    const outer = await start();
    await outer.until("m2$");
    await outer.type("z");
    await outer.until(() => !outer.text().includes("machinen"));
    await outer.type("\r");
    await outer.until("attached");
    await outer.type(..."stty size", "\r");
    await outer.until("32 120");
    await outer.type(...detach, "z");
    await outer.until("machinen");
    await outer.until("m2$");
  });

  it("follows a resize, down to a terminal that is too small", async () => {
    const outer = await start({ TEST_MACHINES: "1" });
    await outer.until("m1$");
    outer.resize(100, 30);
    await outer.type("\r");
    await outer.until("attached");
    await outer.type(..."stty size", "\r");
    await outer.until("27 74");
    await outer.type(...detach);
    outer.resize(30, 8);
    await outer.until("machinen needs 40x10");
    expect(outer.text()).not.toContain("m1$");
    outer.resize(100, 30);
    await outer.until("27 74");
    expect(outer.text()).not.toContain("needs 40x10");
  });

  it("says that there are panes it has no room for, and turns to them", async () => {
    const outer = await start({ TEST_MACHINES: "6" }, 60, 14);
    await outer.until("1-2 of 6 (>)");
    await outer.type(">");
    await outer.until("3-4 of 6 (>)");
    await outer.until(/─ m3 [\s\S]*─ m4 /);
    await outer.type("<", "<");
    await outer.until("5-6 of 6 (>)");
    await outer.type("z");
    await outer.until("zoomed, 6 of 6 (z)");
    await outer.type("z");
    outer.resize(160, 45);
    await outer.until(() => {
      const text = outer.text();
      const all = [1, 2, 3, 4, 5, 6].every((number) => text.includes(`╭─ m${number} `));
      return all && !text.includes(" of 6");
    });
  });

  it("explains its keys, and keeps failures in a log", async () => {
    const outer = await start({ TEST_SNAPSHOT_ERROR: "SNAPSHOT_DUMP_FAILED" });
    await outer.until("m2$");
    await outer.type("?");
    await outer.until("Ctrl-] Ctrl-]");
    await outer.type("q");
    await outer.until(() => !outer.text().includes("this help"));
    await outer.type("s");
    await outer.until("SNAPSHOT_DUMP_FAILED: the disk is full; free some space");
    await outer.type("l");
    await outer.until("Log");
    await outer.until("press s again");
    await outer.type("q");
    await outer.type("q");
    await expectGivenBack(outer, 0);
  });

  it("writes snapshots and restores the one that is picked", async () => {
    const outer = await start();
    await outer.until("m2$");
    await outer.type("r");
    await outer.until("There are no snapshots yet");
    await outer.type("\x1b");
    await outer.until(() => !outer.text().includes("no snapshots"));
    await outer.type("s");
    await outer.until("snapshot of m1: /snapshots/m1");
    await outer.type("r");
    await outer.until(/▸ \d{4}-\d\d-\d\d \d\d:\d\d {2}m1/);
    await outer.type("\r");
    await outer.until("● m1.1");
  });

  it("says when a shell has ended; Enter starts a new one, and late keys are not commands", async () => {
    const outer = await start({ TEST_MACHINES: "1" });
    await outer.until("m1$");
    await outer.type("\r");
    await outer.until("attached");
    await outer.type(..."exit 3\rq");
    await outer.until("The shell ended with code 3. Enter starts a new one.");
    // Until one of them counts.
    while (!outer.text().includes("attached")) await outer.type("\r");
    await outer.type(..."echo n''ew", "\r");
    await outer.until(/│new +│/);
  });

  it("notices machines that come and go behind its back", async () => {
    const outer = await start();
    await outer.until("m2$");
    process.kill(tui.pid(), "SIGUSR1");
    await outer.until("outside$");
    process.kill(tui.pid(), "SIGUSR2");
    await outer.until("outside has ended");
    await outer.until(() => !outer.text().includes("outside$"));
  });

  it("passes pastes and the mouse on as the program asked for them", async () => {
    const outer = await start();
    await outer.until("m2$");
    await outer.type("\x1b[<0;100;5M", "\x1b[<0;100;5m");
    await outer.until("▸● m2");
    await outer.type("\x1b[<0;100;5M", "\x1b[<0;100;5m");
    await outer.until("attached");
    await outer.type(
      ..."printf '\\033[?1000h\\033[?1006h\\033[?2004h'; echo rea''dy; cat -v",
      "\r",
    );
    await outer.until(/│ready +│/);
    await outer.type("\x1b[<0;90;9M", "\x1b[<0;90;9m", "\x1b[200~pasted\x1b[201~", "\r");
    await outer.until(/\^\[\[<0;\d+;8M.*\^\[\[200~pasted\^\[\[201~/);
  });

  it("sends arrow keys in the form the program asked for", async () => {
    const outer = await start({ TEST_MACHINES: "1" });
    await outer.until("m1$");
    await outer.type("\r");
    await outer.until("attached");
    await outer.type(..."printf '\\033[?1h'; stty -echo; echo rea''dy; cat -v", "\r");
    await outer.until(/│ready +│/);
    await outer.type("\x1b[A", "\x1b[1;5A", "\r");
    await outer.until("^[OA^[[1;5A");
  });
});

import { expect, test } from "vitest";
import type { OuterTerminal } from "../ui/support/outer-terminal.ts";
import { attach, pane } from "./support/screen.ts";
import { useScreens } from "./support/screens.ts";

const READY = 60_000;
const { world, open } = useScreens([]);
let outer: OuterTerminal;

test("a local command that cannot be run ends the screen, which says so, with a shell's status", async () => {
  outer = open("tui --local 'nosuchcmd --flag' --panes 2");
  await outer.until("GIVEN BACK\nEXIT 127", READY);
  expect(outer.alternateScreen).toBe(false);
  expect(outer.text()).toMatch(/nosuchcmd: not found/);
  expect(outer.text()).toContain(
    "LOCAL_COMMAND_FAILED: nosuchcmd --flag ended at once with status 127\nnext: check the command",
  );
});

test("a local program that fails later shows why and with what, and can be started again", async () => {
  outer = open("tui --local 'echo pid $$ is there; read line; echo got $line; exit 3'");
  const pid = (): string => /^pid (\d+) is there$/m.exec(pane(outer, "local-1"))?.[1] ?? "";
  await outer.until(() => pid() !== "", READY);
  const first = pid();
  await attach(outer);
  await outer.type(..."this", "\r");
  await outer.until("echo ended with code 3. Enter starts it again, x closes it.");
  expect(pane(outer, "local-1")).toContain("got this");
  expect(pid()).toBe(first);
  // Keys right after the end of a program are taken as meant for it: until one counts.
  while (pid() === first) await outer.type("\r");
  await outer.until(() => pid() !== "");

  expect(await world.ok(["tui", "stop", "local-1"])).toBe("local-1 is stopped\n");
  await outer.until("No machine is running.");
  await world.ok(["tui", "quit"]);
  await outer.until("GIVEN BACK\nEXIT 0");
});

test("on a screen of 40 by 12 the palette shows names and keys, whole, and runs what is chosen", async () => {
  outer = open("tui --local cat", 40, 12);
  await outer.until(/^ machines {2}j\/k select {3}\? help {3}q quit$/m, READY);
  await outer.type(":");
  await outer.until(/│ {2}select-next +j {2}│/);
  await outer.type(..."newmachine");
  await outer.until(/│ {2}new-machine +N {2}│/);
  await outer.type("\r");
  await outer.until("New machine");
  await outer.type("\x1b");
  await outer.until(() => !outer.text().includes("New machine"));
  await outer.type("q");
  await outer.until("GIVEN BACK\nEXIT 0");
});

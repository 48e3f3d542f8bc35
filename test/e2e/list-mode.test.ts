import { describe, expect, test } from "vitest";
import { oneBase } from "../runtime/machine/bases.ts";
import type { OuterTerminal } from "../ui/support/outer-terminal.ts";
import { DETACH } from "./support/screen.ts";
import { useScreens } from "./support/screens.ts";

const READY = 60_000;
describe.each(oneBase("tiny"))("the plain list on the $name base", (base) => {
  const { world, open } = useScreens(["one"], base);

  test("plain lines instead of a screen", async () => {
    const outer = open("tui --list");
    await outer.until("one is there", READY);
    await outer.type(..."/ls", "\r");
    await outer.until("one, running,");
    await outer.type(..."/fork one", "\r");
    await outer.until("is a fork of one", READY);
    // Every change is a line of its own, whoever made it; nothing is ever drawn anew.
    await outer.until("one.1 is there, a fork of one", READY);
    await world.ok(["exec", "one.1", "--", "touch", "/root/only"]);
    await outer.type(..."/differences one.1", "\r");
    await outer.until(/^ {2}A \/root\/only/m, READY);
    await outer.type(..."/snapshot one.1", "\r");
    await outer.until("snapshot of one.1: ", READY);
    await outer.type(..."/stop one.1", "\r");
    await outer.until(/^one\.1 is stopped$/m, READY);
    await outer.until(/^one\.1 has ended$/m, READY);
    await outer.type(..."/restore", "\r");
    await outer.until(/^1: one\.1, \d{4}-/m, READY);
    await outer.type(..."/restore 1", "\r");
    const restored = (): string => outer.text().split("restoring 1")[1] ?? "";
    await outer.until(() => /^one\.1 is there/m.test(restored()), READY);
    await outer.until(() => /^one\.1 is running$/m.test(restored()), READY);
    await outer.type(..."/rename one.1 other", "\r");
    await outer.until(/^one\.1 is now called other$/m, READY);
    await outer.type(..."/fork nobody", "\r");
    await outer.until(/^forking nobody: .*no machine "nobody"/m, READY);
    await outer.until("next: machinen ls shows what is running", READY);
    expect(outer.raw).not.toContain("\x1b");
    await outer.type(..."/attach one", "\r");
    await outer.until(/attached to one; Ctrl-\] Ctrl-\] detaches/, READY);
    await outer.type(..."echo li''ne", "\r");
    await outer.until(/^line$/m);
    await outer.type(...DETACH);
    await outer.until("detached from one");
    await outer.type(..."/stop other", "\r");
    await outer.until("other is stopped", READY);
    expect(outer.alternateScreen).toBe(false);
    await outer.type(..."/quit", "\r");
    await outer.until("GIVEN BACK\nEXIT 0");
    expect((await world.machines()).map(({ name }) => name)).toEqual(["one"]);
  }, 300_000);

  /** Asks for the list until the machine's line in it is like this. */
  async function listed(list: OuterTerminal, name: string, like: RegExp): Promise<void> {
    const lines = (): string[] =>
      list.raw.split(/\r?\n/).filter((line) => line.startsWith(`${name}, `));
    do {
      const before = lines().length;
      await list.type(..."/ls", "\r");
      await list.until(() => lines().length > before, READY);
    } while (!like.test(lines().at(-1)!));
  }

  test("the plain list tells what wants attention: bells, notifications, ends of commands and shells", async () => {
    const list = open("tui --list");
    await list.until("one is there", READY);
    const shell = open("attach one");
    await shell.until(/root@one/, READY);
    await listed(list, "one", /, waits for input$/);
    await shell.type(..."printf '\\a\\033]777;notify;Tests;all pass\\007'; (exit 3)", "\r");
    await list.until(/^one: the bell rings$/m, READY);
    expect(list.raw).toContain("\x07");
    await list.until(/^one: notifies: Tests: all pass$/m, READY);
    await list.until(/^one: the command failed with status 3; the shell waits for input$/m, READY);
    await shell.type(..."read answer", "\r");
    await listed(list, "one", /, running, \w+$/);
    await shell.type(..."yes", "\r");
    await list.until(/^one: the command has ended; the shell waits for input$/m, READY);

    await list.type(..."/mute one", "\r");
    await list.until(/^one is muted$/m, READY);
    await shell.type(..."printf '\\033]9;unheard\\007'; read answer", "\r");
    await listed(list, "one", /, running, \w+, muted$/);
    await shell.type(..."yes", "\r");
    await listed(list, "one", /, waits for input, muted$/);
    await list.type(..."/mute one", "\r");
    await list.until(/^one is heard again$/m, READY);
    await shell.type(..."exit 4", "\r");
    await list.until(/^one: the shell has ended with status 4$/m, READY);
    expect(list.raw).not.toContain("unheard");
    await list.type(..."/quit", "\r");
    await list.until("GIVEN BACK\nEXIT 0", READY);
  }, 300_000);
});

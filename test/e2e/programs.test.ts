import { describe, expect, test } from "vitest";
import { bases } from "../runtime/machine/bases.ts";
import type { OuterTerminal } from "../ui/support/outer-terminal.ts";
import { attach, DETACH, detach, pane, quit } from "./support/screen.ts";
import { useScreens } from "./support/screens.ts";

describe.each(bases)("programs on the $name base", (base) => {
  const { world, open } = useScreens(["one"], base);

  async function start(cols = 120, rows = 34): Promise<OuterTerminal> {
    const terminal = open("", cols, rows);
    await terminal.until(() => /root@one/.test(pane(terminal, "one")), 60_000);
    await attach(terminal);
    await terminal.type(..."clear", "\r");
    return terminal;
  }

  async function leave(terminal: OuterTerminal): Promise<void> {
    await detach(terminal);
    await quit(terminal);
  }

  test("vim edits a file, follows a resize and a zoom", async () => {
    const terminal = await start();
    await terminal.type(..."vi /root/notes.txt", "\r");
    await terminal.until(() => pane(terminal, "one").includes("notes.txt"));
    await terminal.type("i", ..."the quick brown fox", "\r", ..."jumps", "\x1b");
    await terminal.until(() => /the quick brown fox\s*\njumps/.test(pane(terminal, "one")));
    // What comes within 50 ms of an escape, and each new size takes longer, is to busybox's vi a key it does not know.
    await terminal.until(() => !/^(I |-- INSERT)/m.test(pane(terminal, "one")));
    const tildes = (): number => (terminal.text().match(/^[^\S\n]*│?~\s*│?$|│~/gm) ?? []).length;
    const small = tildes();
    terminal.resize(140, 44);
    await terminal.until(() => tildes() >= small + 8);
    await terminal.type(...DETACH);
    await terminal.until(() => !terminal.text().includes("attached"));
    await terminal.type("z");
    await terminal.until(() => terminal.lines()[1] === "the quick brown fox");
    await terminal.type("z");
    await terminal.until(() => pane(terminal, "one").startsWith("the quick brown fox"));
    await terminal.type("\r");
    await terminal.until("attached");
    await terminal.type(...":wq", "\r");
    await terminal.until(() => /root@one[^\n]*$/.test(pane(terminal, "one").trimEnd()));
    await leave(terminal);
    expect(await world.ok(["exec", "one", "--", "cat", "/root/notes.txt"])).toBe(
      "the quick brown fox\njumps\n",
    );
  });

  test("less pages and searches, top refreshes", async () => {
    const terminal = await start();
    await terminal.type(..."seq 1 500 | less", "\r");
    await terminal.until(() => /^1\n2\n3\n/.test(pane(terminal, "one")));
    await terminal.type(..."/^400$", "\r");
    await terminal.until(() => pane(terminal, "one").startsWith("400\n401\n"));
    await terminal.type("q");
    await terminal.until(() => /root@one[^\n]*$/.test(pane(terminal, "one").trimEnd()));
    await terminal.type(..."top -d 1", "\r");
    const top = (): string => pane(terminal, "one");
    await terminal.until(() => /PID .*USER[\s\S]*(machinen|init)/.test(top()));
    const first = top();
    await terminal.until(() => /PID .*USER/.test(top()) && top() !== first);
    await terminal.type("q");
    await terminal.until(() => /root@one[^\n]*$/.test(pane(terminal, "one").trimEnd()));
    await leave(terminal);
  });
});

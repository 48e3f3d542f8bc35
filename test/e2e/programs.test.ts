import { expect, test } from "vitest";
import type { OuterTerminal } from "../ui/support/outer-terminal.ts";
import { attach, DETACH, detach, pane, quit } from "./support/screen.ts";
import { useScreens } from "./support/screens.ts";

const { world, open } = useScreens(["deb"], "debian");

async function start(cols = 120, rows = 34): Promise<OuterTerminal> {
  const terminal = open("", cols, rows);
  await terminal.until(() => /root@deb/.test(pane(terminal, "deb")), 60_000);
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
  await terminal.until(() => pane(terminal, "deb").includes("notes.txt"));
  await terminal.type("i", ..."the quick brown fox", "\r", ..."jumps", "\x1b");
  await terminal.until(() => /the quick brown fox\s*\njumps/.test(pane(terminal, "deb")));
  const tildes = (): number => (terminal.text().match(/^[^\S\n]*│?~\s*│?$|│~/gm) ?? []).length;
  const small = tildes();
  terminal.resize(140, 44);
  await terminal.until(() => tildes() >= small + 8);
  await terminal.type(...DETACH);
  await terminal.until(() => !terminal.text().includes("attached"));
  await terminal.type("z");
  await terminal.until(() => terminal.lines()[1] === "the quick brown fox");
  await terminal.type("z");
  await terminal.until(() => pane(terminal, "deb").startsWith("the quick brown fox"));
  await terminal.type("\r");
  await terminal.until("attached");
  await terminal.type(..."\x1b:wq", "\r");
  await terminal.until(() => /root@deb[^\n]*$/.test(pane(terminal, "deb").trimEnd()));
  await leave(terminal);
  expect(await world.ok(["exec", "deb", "--", "cat", "/root/notes.txt"])).toBe(
    "the quick brown fox\njumps\n",
  );
});

test("less pages and searches, top refreshes", async () => {
  const terminal = await start();
  await terminal.type(..."seq 1 500 | less", "\r");
  await terminal.until(() => /^1\n2\n3\n/.test(pane(terminal, "deb")));
  await terminal.type(..."/^400$", "\r");
  await terminal.until(() => pane(terminal, "deb").startsWith("400\n401\n"));
  await terminal.type("q");
  await terminal.until(() => /root@deb[^\n]*$/.test(pane(terminal, "deb").trimEnd()));
  await terminal.type(..."top -d 1", "\r");
  await terminal.until(() =>
    /PID USER[\s\S]*machinen|PID USER[\s\S]*init/.test(pane(terminal, "deb")),
  );
  const first = pane(terminal, "deb").split("\n")[0];
  await terminal.until(() => pane(terminal, "deb").split("\n")[0] !== first);
  await terminal.type("q");
  await terminal.until(() => /root@deb[^\n]*$/.test(pane(terminal, "deb").trimEnd()));
  await leave(terminal);
});

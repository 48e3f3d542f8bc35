import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bases } from "../runtime/machine/bases.ts";
import type { OuterTerminal } from "../ui/support/outer-terminal.ts";
import { attach, detach, pane, quit, quitAfterEnd } from "./support/screen.ts";
import { useScreens } from "./support/screens.ts";

describe.each(bases)("the terminal on the $name base", (base) => {
  const { world, open: onScreen } = useScreens(["one", "two"], base);

  async function open(): Promise<OuterTerminal> {
    const terminal = onScreen("", 150, 30);
    await terminal.until(() => /root@one/.test(pane(terminal, "one")), 60_000);
    await terminal.until(() => /root@two/.test(pane(terminal, "two")), 60_000);
    await terminal.type("g");
    await terminal.until(/▸● one/);
    return terminal;
  }

  /** Types one line into a machine and comes back. */
  async function run(terminal: OuterTerminal, line: string): Promise<void> {
    await attach(terminal);
    await terminal.type(...line, "\r");
  }

  const clipboard = (terminal: OuterTerminal): string[] =>
    [...terminal.raw.matchAll(/\x1b\]52;c;([^\x07]*)\x07/g)].map(([, text]) =>
      Buffer.from(text!, "base64").toString(),
    );

  test("copy mode searches the scrollback, copies by keys and by mouse, writes files, keeps place in a resize", async () => {
    const terminal = await open();
    await run(terminal, "clear; seq 1 400 | sed 's/$/ lines of text/'");
    await terminal.until(() => pane(terminal, "one").includes("400 lines of text"));
    await detach(terminal);

    await terminal.type("[");
    await terminal.until(/copy 0\/\d+/);
    await terminal.type("?", ..."^1[23]7 l");
    await terminal.until(() => pane(terminal, "one").includes("137 lines of text"));
    await terminal.until(/1 of 2|2 of 2/);
    await terminal.type("\r", "n");
    await terminal.until(() => pane(terminal, "one").includes("127 lines of text"));
    await terminal.type("v", "e", "e", "y");
    await terminal.until("copied 9 characters");
    expect(clipboard(terminal)).toEqual(["127 lines"]);
    await terminal.until(() => pane(terminal, "one").includes("400 lines of text"));

    // By the mouse: a double click takes a word, a drag what lies between.
    const lines = terminal.lines();
    const row = lines.findIndex((line) => line.includes("│399 lines"));
    const column = lines[row]!.indexOf("399");
    const mouse = (code: number, x: number, y: number, final: string): string =>
      `\x1b[<${code};${x + 1};${y + 1}${final}`;
    // In one piece: on a busy computer two clicks could come too far from each other.
    const click = mouse(0, column + 5, row, "M") + mouse(0, column + 5, row, "m");
    await terminal.type(click + click);
    await terminal.until("copied 5 characters");
    expect(clipboard(terminal).at(-1)).toBe("lines");
    await new Promise((resolve) => setTimeout(resolve, 450));
    await terminal.type(
      mouse(0, column + 4, row - 1, "M"),
      mouse(32, column + 4, row, "M"),
      mouse(32, column + 2, row, "M"),
      mouse(0, column + 2, row, "m"),
    );
    await terminal.until("copied 17 characters");
    expect(clipboard(terminal).at(-1)).toBe("lines of text\n399");

    await detach(terminal).catch(() => {});
    await terminal.type("g", "[", "g", "V", "j", "S");
    await terminal.until("write to file: ~/one-");
    await terminal.type("\x15", ...join(world.directory, "copied.txt"), "\r");
    await terminal.until("characters to");
    expect(readFileSync(join(world.directory, "copied.txt"), "utf8")).toMatch(
      /^1 lines of text\n2 lines of text\n/,
    );

    // The wheel scrolls, and lines wrap anew when the pane becomes narrow.
    await terminal.type("[", "?", ..."^250 ", "\r");
    await terminal.until(() => pane(terminal, "one").includes("250 lines of text"));
    terminal.resize(110, 24);
    await terminal.until(() => pane(terminal, "one").includes("250 lines of text"));
    await terminal.type("q");
    await terminal.until(() => !/copy \d+\//.test(terminal.text()));
    terminal.resize(150, 30);
    await terminal.until(() => pane(terminal, "one").includes("400 lines of text"));
    await terminal.type(...Array(6).fill(mouse(64, column, row, "M")));
    await terminal.until(() => !pane(terminal, "one").includes("400 lines of text"));
    // Copy mode shows what it copies from, also from a tab that has nothing yet.
    await terminal.type("t");
    await terminal.until(/This tab is empty\.\s+Enter {2}show one here and type into it/);
    await terminal.type("[");
    await terminal.until(() => /copy \d+\//.test(terminal.text()) && pane(terminal, "one") !== "");
    await terminal.type("q", "X");
    await terminal.until(() => !/copy \d+\//.test(terminal.text()));
    await quit(terminal);
  }, 300_000);

  test("alerts lead to the pane that wants attention; muting ends them; programs ask for the clipboard", async () => {
    const terminal = await open();
    const mark = (name: string): string => {
      const line = terminal
        .lines()
        .find((text) => new RegExp(`● ${name} `).test(text.slice(0, 30)));
      return /([!✓✗■~+ø❯]\d*) +\S+ +\S+ *$/.exec(line?.slice(0, 30) ?? "")?.[1] ?? "";
    };
    await terminal.type("j");
    await terminal.until(/▸● two/);
    // A command that waits for a file to appear, so that it ends while nobody looks.
    const later = (what: string): string =>
      `while [ ! -e /go ]; do sleep 0.05; done; rm /go; ${what}`;
    const go = (): Promise<string> => world.ok(["exec", "two", "--", "touch", "/go"]);
    await run(terminal, later("printf '\\a'"));
    await detach(terminal);
    await terminal.type("k");
    await terminal.until(/▸● one/);
    await go();
    await terminal.until(() => mark("two") === "!");
    expect(terminal.raw).toContain("\x07");
    await terminal.type("a");
    await terminal.until(/▸● two/);
    await terminal.until(() => mark("two") === "❯");

    await run(terminal, later("(exit 3)"));
    await terminal.until(() => mark("two") === "");
    await detach(terminal);
    await terminal.type("k");
    await go();
    await terminal.until(() => mark("two") === "✗3");
    await terminal.type("a");
    await terminal.until(/▸● two/);
    await terminal.until(() => mark("two") === "❯");

    // A fork begins with the shell as it is, not with what became of its commands before.
    await run(terminal, later("(exit 5)"));
    await detach(terminal);
    await go();
    await terminal.until(() => mark("two") === "❯");
    await run(terminal, `(${later("echo beat")}) &`);
    // The fork is of a shell that has all of this behind it.
    await terminal.until(() =>
      /echo beat\) &\s+(\[1\] \d+\s+)?root@two/.test(pane(terminal, "two")),
    );
    await detach(terminal);
    await terminal.type("k");
    await terminal.until(/▸● one/);
    await world.ok(["fork", "two", "--name", "copy"]);
    await terminal.until(() => pane(terminal, "copy") !== "");
    await world.ok(["exec", "copy", "--", "touch", "/go"]);
    await terminal.until(() => /beat$/m.test(pane(terminal, "copy")));
    await terminal.type("j");
    await terminal.until(/▸● two/);
    expect(mark("copy")).not.toContain("✗");
    await world.ok(["stop", "copy"]);
    await go();
    await terminal.until(() => /beat$/m.test(pane(terminal, "two")));

    await terminal.type("m");
    await terminal.until("two is muted");
    await run(terminal, later("printf '\\a'; echo rang"));
    await detach(terminal);
    await terminal.type("k");
    await go();
    await terminal.until(() => pane(terminal, "two").includes("\nrang"));
    expect(mark("two")).toBe("ø");

    await terminal.type("j", "m");
    await terminal.until("two is heard again");
    await run(terminal, "printf '\\033]52;c;c2VjcmV0\\007\\033]52;c;?\\007'");
    await terminal.until("two wants to put 6 characters on the clipboard: y allows it");
    expect(clipboard(terminal)).toEqual([]);
    await detach(terminal);
    await terminal.type("y");
    await terminal.until("copied 6 characters from two");
    expect(clipboard(terminal)).toEqual(["secret"]);
    await run(terminal, "exit 4");
    await terminal.until("The shell ended with code 4");
    await quitAfterEnd(terminal);
  }, 300_000);
});

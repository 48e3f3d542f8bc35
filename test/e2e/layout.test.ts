import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { oneBase } from "../runtime/machine/bases.ts";
import type { OuterTerminal } from "../ui/support/outer-terminal.ts";
import { attach, detach, pane, quit, quitAfterEnd } from "./support/screen.ts";
import { useScreens } from "./support/screens.ts";

const READY = 60_000;
describe.each(oneBase("debian"))("the layout on the $name base", (base) => {
  const { world, open } = useScreens(["one", "two"], base);
  let outer: OuterTerminal | undefined;

  const has = (name: string): boolean => pane(outer!, name) !== "";
  const widthOf = (name: string): number => {
    const line = outer!.lines().find((text) => text.includes(`╭─ ${name} `))!;
    const at = line.indexOf(`╭─ ${name} `);
    return line.indexOf("╮", at) - at + 1;
  };

  test("sessions in splits, layouts, borders and tabs, all there again after a restart", async () => {
    outer = open("");
    await outer.until(() => /root@one/.test(pane(outer!, "one")) && has("two"), READY);

    // A second session of the same machine, attached at once.
    await outer.type("|");
    await outer.until(() => /root@one/.test(pane(outer!, "one:2")), READY);
    await outer.until("attached");
    await outer.type(..."side=second; echo $side session", "\r");
    await outer.until(() => /^second session$/m.test(pane(outer!, "one:2")));
    await detach(outer);

    // Another border: by keys, then by the mouse.
    const before = widthOf("one:2");
    await outer.type("H");
    await outer.until(() => widthOf("one:2") !== before);
    const line = outer.lines().findIndex((text) => text.includes("╭─ one "));
    const edge = outer.lines()[line]!.indexOf("╭─ one:2 ");
    const moved = widthOf("one:2");
    const at = (x: number, button: number, end: string): string =>
      `\x1b[<${button};${x + 1};${line + 4}${end}`;
    await outer.type(
      at(edge, 0, "M"),
      at(edge + 3, 32, "M"),
      at(edge + 6, 32, "M"),
      at(edge + 6, 0, "m"),
    );
    await outer.until(() => widthOf("one:2") === moved - 6);

    // A tab of its own for one of them, and its name.
    await outer.type("!");
    await outer.until(() => has("one:2") && !has("one"));
    await outer.until(/ 1 .* 2 one:2 /);
    await outer.type(",");
    await outer.until(() => has("one") && has("two"));
    // The first one gives the grid back that was changed by hand.
    await outer.type(" ", " ");
    await outer.until("even-horizontal");
    await outer.type(" ", " ");
    await outer.until("main-vertical");
    const arranged = (): string =>
      JSON.stringify([widthOf("one"), widthOf("two"), outer!.lines()[0]!.slice(30)]);
    const left = arranged();
    await outer.type("m");
    const muted = (): boolean =>
      outer!.lines().some((text) => /^.● \S+ .*ø/.test(text.slice(0, 30)));
    await outer.until(muted);
    await quit(outer);

    outer = open("");
    await outer.until(() => /root@one/.test(pane(outer!, "one")) && has("two"), READY);
    await outer.until(() => arranged() === left);
    await outer.until(muted);
    await outer.type("2");
    await outer.until(() => /^second session$/m.test(pane(outer!, "one:2")), READY);

    // The shell of a further session takes its pane and its tab with it.
    await attach(outer);
    await outer.type(..."exit", "\r");
    await outer.until(() => has("one") && !outer!.text().includes("one:2"));
    await quitAfterEnd(outer);
  }, 300_000);

  test("a saved layout that cannot be used is told about and does no harm", async () => {
    const file = join(world.env.XDG_STATE_HOME!, "machinen", "workspace.json");
    const whole = readFileSync(file, "utf8");
    writeFileSync(file, whole.slice(0, whole.length / 2));
    outer = open("");
    await outer.until(() => has("one") && has("two"), READY);
    await outer.until("cannot be used");
    await quit(outer);
    expect(readFileSync(`${file}.bad`, "utf8")).toBe(whole.slice(0, whole.length / 2));
    expect(() => JSON.parse(readFileSync(file, "utf8"))).not.toThrow();
  }, 300_000);
});

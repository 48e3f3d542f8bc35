import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { oneBase } from "../runtime/machine/bases.ts";
import type { OuterTerminal } from "../ui/support/outer-terminal.ts";
import { pane, quit } from "./support/screen.ts";
import { useScreens } from "./support/screens.ts";

const READY = 60_000;
describe.each(oneBase("debian"))("the configuration on the $name base", (base) => {
  const { world, open } = useScreens(["one"], base);
  let outer: OuterTerminal | undefined;
  const directory = (): string => join(world.env.XDG_CONFIG_HOME!, "machinen");

  function configure(...lines: string[]): void {
    mkdirSync(directory(), { recursive: true });
    writeFileSync(join(directory(), "config.toml"), lines.join("\n"));
  }

  afterEach(() => rmSync(directory(), { recursive: true, force: true }));

  test("keys, theme, mouse and detach key are the user's; what is wrong is told with its line", async () => {
    configure(
      "[look]",
      'theme = "none"',
      "mouse = false",
      "sidebar = 3",
      "[keyboard]",
      'detach = "ctrl-b"',
      "[keys]",
      'zoom = "Z"',
    );
    outer = open("");
    await outer.until(
      /config\.toml:4: look\.sidebar must be true or false, and is 3; true is used/,
    );
    await outer.until(() => /root@one/.test(pane(outer!, "one")), READY);
    await outer.type("\r");
    await outer.until("Ctrl-B Ctrl-B detach");
    await outer.type(..."echo typed", "\r");
    await outer.until(() => /^typed$/m.test(pane(outer!, "one")));
    await outer.type("\x1d", "\x1d", "\x02", "\x02");
    await outer.until("Z zoom");
    await outer.type("z", "Z");
    await outer.until(() => !outer!.text().includes("machinen"));
    await outer.type("Z");
    await outer.until("machinen");
    expect(outer.screen.modes.mouseTrackingMode).toBe("none");
    // No colour of ours was ever sent: the only ones could be the guest's.
    expect(outer.raw).not.toMatch(/\x1b\[[0-9;:]*\b(3[0-7]|4[0-7]|9[0-7]|38|48)\b[0-9;:]*m/);
    await quit(outer);
  });

  test("machinen attach knows the same detach key, and tells what is wrong too", async () => {
    configure("[keyboard]", 'detach = "ctrl-b"', "[look]", 'theme = "pink"');
    outer = open("attach one");
    await outer.until(/root@one/, READY);
    expect(outer.raw).toContain("config.toml:4: look.theme must be");
    expect(outer.raw).toContain("one: Ctrl-B Ctrl-B leaves it running");
    await outer.type("\x02", "\x02");
    await outer.until("[detached from one");
    await outer.until("GIVEN BACK\nEXIT 0");
  });

  test("the commented default file is valid and says where it belongs", async () => {
    const text = await world.ok(["tui", "--print-config"]);
    expect(text).toContain(join(directory(), "config.toml"));
    configure(text);
    outer = open("");
    await outer.until(() => /root@one/.test(pane(outer!, "one")), READY);
    expect(outer.text()).not.toContain("config.toml");
    await quit(outer);
  });
});

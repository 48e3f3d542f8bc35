import { readdirSync, statSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bases } from "../runtime/machine/bases.ts";
import type { OuterTerminal } from "../ui/support/outer-terminal.ts";
import { attach, DETACH, detach, pane, quit } from "./support/screen.ts";
import { useScreens } from "./support/screens.ts";
import { eventually } from "./support/world.ts";

const READY = 60_000;
describe.each(bases)("what is done by keys and commands on the $name base", (base) => {
  const { world, open: onScreen } = useScreens(["one"], base);
  let outer: OuterTerminal | undefined;

  function freePort(): Promise<number> {
    const server = createServer();
    return new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo;
        server.close(() => resolve(port));
      });
    });
  }

  const has = (name: string): boolean => pane(outer!, name) !== "";
  const names = async (): Promise<(string | undefined)[]> =>
    (await world.machines()).map(({ name }) => name).sort();

  async function open(): Promise<void> {
    outer = onScreen("");
    await outer.until(() => /root@one/.test(pane(outer!, "one")), READY);
  }

  test("the dialog for a new machine, rename, tags, finding, and a stop that is undone", async () => {
    const port = await freePort();
    await open();

    // Every line of the dialog counts; one that cannot be is told, and the dialog stays.
    await outer!.type("N");
    await outer!.until("New machine");
    await outer!.type(..."web", "\t", "\t", "\x15", ..."lots", "\r");
    await outer!.until('Memory is a number of MiB, not "lots"');
    await outer!.type("\x15", ..."256", "\t", ..."2", "\t", ..."/no/such:/mnt/site", "\t", "\t");
    await outer!.type(...`${port}:80`, "\r");

    // A boot that fails brings the dialog back with what was typed, the code and the next step.
    await outer!.until("BOOT_MOUNT_HOST_NOT_FOUND", READY);
    await outer!.until("next: check the path");
    await outer!.until(/mount \/no\/such:\/mnt\/site/);
    await outer!.until(/Name +web +│/);
    await outer!.until(`▸ Ports       ${port}:80█`);
    await outer!.type("\x1b[Z", "\x1b[Z", "\x15", "\r");
    await outer!.until(() => /root@web/.test(pane(outer!, "web")), READY);
    expect(JSON.parse(await world.ok(["ls", "--json"]))).toContainEqual(
      expect.objectContaining({
        name: "web",
        memoryMib: 256,
        portForward: [expect.objectContaining({ hostPort: port, guestPort: 80 })],
      }),
    );

    expect((await world.ok(["exec", "web", "--", "nproc"])).trim()).toBe("2");

    // Another name, for the host and in the guest.
    await outer!.type("R");
    await outer!.until("rename <name>");
    await outer!.type("\x15", ..."shop", "\r");
    await outer!.until(() => has("shop"));
    expect(await names()).toEqual(["one", "shop"]);
    expect((await world.ok(["exec", "shop", "--", "hostname"])).trim()).toBe("shop");
    await outer!.type("R", "\x15", ..."one", "\r");
    await outer!.until("REGISTRY_NAME_IN_USE");

    // Tags are words to find a machine by.
    await outer!.type("#");
    await outer!.until("tag <words>");
    await outer!.type(..."blue urgent", "\r");
    await outer!.until("#blue");
    await outer!.type("g", "/");
    await outer!.until("Find a machine");
    await outer!.type(..."urg");
    await outer!.until(() => !/│ +one /.test(outer!.text()));
    await outer!.type("\r");
    await outer!.until("▸● shop");

    // What a machine has in memory survives a stop that is undone.
    await attach(outer!);
    await outer!.type(..."secret=kept", "\r", ...DETACH);
    await outer!.until(() => !outer!.text().includes("attached"));
    await outer!.type("x");
    await outer!.until("Stop shop?");
    await outer!.type("s");
    await outer!.until("shop is stopped; u brings it back", READY);
    expect(await names()).toEqual(["one"]);
    await outer!.type("u");
    await outer!.until("shop is back", READY);
    await outer!.until(() => has("shop"), READY);
    await attach(outer!);
    await outer!.type(..."echo $secret now", "\r");
    await outer!.until(() => /^kept now$/m.test(pane(outer!, "shop")));
    await detach(outer!);
    await outer!.type("u");
    await outer!.until("COMMAND_NOT_POSSIBLE: no machine was stopped here");
    await outer!.type("x", "y");
    await outer!.until("shop is stopped", READY);
  }, 300_000);

  test("a stopped fork is brought back from its last snapshot; without one it is said that there is none", async () => {
    await open();
    await outer!.type("f");
    await outer!.until("▸└ ● one.1", READY);
    await outer!.until(() => /root@one/.test(pane(outer!, "one.1")), READY);
    await attach(outer!);
    await outer!.type(..."secret=forked", "\r", ...DETACH);
    await outer!.until(() => !outer!.text().includes("attached"));
    await outer!.type("s");
    await outer!.until("snapshot of one.1: ", READY);
    // Its snapshot is its own under whatever name.
    await outer!.type("R", "\x15", ..."other", "\r");
    await outer!.until(() => has("other"), READY);
    await outer!.type("x");
    await outer!.until("Stop other?");
    await outer!.type("y");
    await outer!.until("other is stopped; u brings it back as it was in its last snapshot", READY);
    await outer!.type("l");
    await outer!.until(/ Log [\s\S]* snapshot of one\.1/);
    expect(outer!.text()).not.toContain("session of other");
    await outer!.type("\x1b");
    await outer!.until(() => !outer!.text().includes("Esc close"));
    await outer!.type("u");
    await outer!.until("other is back as it was in ", READY);
    await outer!.until("▸● other", READY);
    await attach(outer!);
    await outer!.type(..."echo $secret again", "\r");
    await outer!.until(() => /^forked again$/m.test(pane(outer!, "other")), READY);
    await detach(outer!);
    expect(await world.ok(["tui", "stop", "other"])).toMatch(/^other is stopped/);

    expect(await world.ok(["tui", "fork", "brief"])).toContain("brief is a fork of one");
    expect(await world.ok(["tui", "stop", "brief"])).toBe("brief is stopped\n");
    expect(await world.run(["tui", "undo"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("brief was stopped without a snapshot"),
    });
    expect(await names()).toEqual(["one"]);
    await quit(outer!);
  }, 300_000);

  test("commands about a machine take its name, whichever is selected", async () => {
    await open();
    await world.ok(["tui", "fork", "copy"]);
    await world.ok(["tui", "select", "one"]);
    expect(await world.ok(["tui", "snapshot", "copy"])).toMatch(/^snapshot of copy: /);
    const tagged = await world.ok(["tui", "tag", "copy", "blue", "#urgent"]);
    expect(tagged).toBe("copy is tagged #blue #urgent\n");
    expect(await world.ok(["tui", "mute", "copy"])).toBe("copy is muted\n");
    expect(await world.ok(["tui", "fork", "copy", "deep"])).toBe("deep is a fork of copy\n");
    await world.ok(["tui", "rename", "deep", "deeper"]);
    await world.ok(["tui", "select", "one"]);
    await world.ok(["tui", "split-down", "copy"]);
    await outer!.until(() => has("copy:2"), READY);
    await outer!.until("attached", READY);
    await detach(outer!);
    await world.ok(["tui", "select", "one"]);
    await world.ok(["tui", "differences", "copy", "deeper"]);
    await outer!.until("copy → deeper", READY);
    await outer!.type("\x1b");
    await outer!.until(() => !outer!.text().includes("copy → deeper"));
    expect(await world.ok(["tui", "ls"])).toMatch(/ copy running .*#blue #urgent/);
    await world.ok(["tui", "compare", "one", "copy", "deeper"]);
    expect(await world.ok(["tui", "keep", "one"])).toBe("stopped: copy, deeper\n");
    expect(await names()).toEqual(["one"]);
    expect(await world.run(["tui", "snapshot", "copy"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no machine "copy" is there'),
    });
    await world.ok(["tui", "close-tab"]);
    await quit(outer!);
  }, 300_000);

  test("one vocabulary: palette, and commands from outside over a socket only its user can open", async () => {
    await open();
    await outer!.type(":");
    await outer!.until("Command");
    await outer!.type(..."qqqq");
    await outer!.until("Nothing matches.");
    await outer!.type("\x15", ..."/layout even-vertical", "\r");
    await outer!.until(() => !outer!.text().includes("Command"));
    await outer!.type(":", ..."newtab");
    await outer!.until(/new-tab \[name\]/);
    await outer!.type("\t", ..."side", "\r");
    await outer!.until(/ 2 side /);

    const directory = join(world.env.XDG_RUNTIME_DIR!, `machinen-tui-${userInfo().uid}`);
    const [socket] = readdirSync(directory);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, socket!)).mode & 0o777).toBe(0o600);

    await world.ok(["tui", "tab", "1"]);
    await outer!.until(() => has("one"));
    expect(await world.ok(["tui", "ls"])).toMatch(/^\* one running /);
    await world.ok(["tui", "split-right"]);
    await outer!.until(() => has("one:2"), READY);
    const forked = await world.ok(["tui", "fork", "copy"]);
    expect(forked).toContain("copy is a fork of one");
    await outer!.until(() => has("copy:2"), READY);

    // What cannot be done is told with its code and a next step.
    expect(await world.run(["tui", "frok"])).toMatchObject({
      code: 1,
      stderr:
        'COMMAND_UNKNOWN: there is no command "frok"\nnext: machinen tui --commands lists them\n',
    });
    expect(await world.run(["tui", "tab", "9"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("COMMAND_ARGUMENT_INVALID: no tab"),
    });
    expect(await world.run(["tui", "fork", "one", "copy"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("REGISTRY_NAME_IN_USE"),
    });
    expect(await world.run(["tui", "stop", "nobody"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no machine "nobody" is there'),
    });
    expect(await world.run(["tui", "zoom", "copy"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("zoom takes no argument"),
    });

    // Nobody outside could answer a question; the machine that is named is the one that is stopped.
    await world.ok(["tui", "select", "one"]);
    expect(await world.ok(["tui", "stop", "copy"])).toBe("copy is stopped\n");
    expect(await names()).toEqual(["one"]);
    await world.ok(["tui", "quit"]);
    await outer!.until("GIVEN BACK\nEXIT 0");
    await eventually("the socket is gone", () => readdirSync(directory).length === 0);
    expect(await world.run(["tui", "ls"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("TUI_NOT_RUNNING"),
    });
  }, 300_000);
});

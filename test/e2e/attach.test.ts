import { describe, test } from "vitest";
import { bases } from "../runtime/machine/bases.ts";
import { attach, DETACH, pane, quit } from "./support/screen.ts";
import { useScreens } from "./support/screens.ts";

const READY = 60_000;
describe.each(bases)("sessions on the $name base", (base) => {
  const { world, open } = useScreens(["one"], base);

  test("a pane, a zoomed pane and machinen attach are clients of one session", async () => {
    const screen = open("");
    await screen.until(() => /root@one/.test(pane(screen, "one")), READY);
    const raw = open("attach one");
    await raw.until(/root@one/, READY);
    await raw.type(..."echo from the attached", "\r");
    await screen.until(() => /^from the attached$/m.test(pane(screen, "one")));

    // Zoomed and attached: the whole screen is the session's, but for the way out.
    await screen.type("z", "\r");
    await screen.until(/Ctrl-\] Ctrl-\] detach/);
    await screen.type(..."echo from the zoomed", "\r");
    await raw.until(/^from the zoomed$/m);
    await screen.type(...DETACH, "z");
    await raw.type(...DETACH);
    await raw.until("GIVEN BACK\nEXIT 0");

    // The one that left took nothing with it.
    await screen.until(() => pane(screen, "one") !== "");
    await attach(screen);
    await screen.type(..."echo still", "\r");
    await screen.until(() => /^still$/m.test(pane(screen, "one")));
    await screen.type(...DETACH, "q");
    await screen.until("GIVEN BACK\nEXIT 0");
  });

  test("machinen in a pane of machinen: the keys that leave the inner one", async () => {
    const outer = open(`tui --local "${world.binary}"`);
    // The inner one's screen in a pane of the outer one.
    await outer.until(() => outer.text().split("j/k select").length === 3, READY);
    const inner = (): boolean => outer.text().split(/Ctrl-\] Ctrl-\] detach/).length > 1;
    await outer.type("G", "\r");
    await outer.until(inner);
    // The outer one is attached to the inner one; now the inner one to the machine.
    await outer.type("\r");
    await outer.until(() => outer.text().split(/Ctrl-\] Ctrl-\] detach/).length === 3);
    await outer.type(..."echo deep", "\r");
    await outer.until(/│deep /);
    await outer.type(...DETACH);
    await outer.until(() => outer.lines().at(-1)!.includes("j/k select"));
    // Detached from outside, the same keys once more go inside.
    await outer.type("\x1d");
    await outer.until(() => outer.lines().at(-1)!.includes("Ctrl-] Ctrl-] detach"));
    await outer.until(() => outer.text().split(/Ctrl-\] Ctrl-\] detach/).length === 2);
    await outer.type("q");
    await outer.type(...DETACH);
    await outer.until(() => outer.lines().at(-1)!.includes("j/k select"));
    await quit(outer);
  });
});

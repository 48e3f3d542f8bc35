import { expect, test } from "vitest";
import { DETACH } from "./support/screen.ts";
import { useScreens } from "./support/screens.ts";

const READY = 60_000;
const { world, open } = useScreens(["one"]);

test("plain lines instead of a screen", async () => {
  const outer = open("tui --list");
  await outer.until("one is there", READY);
  await outer.type(..."/ls", "\r");
  await outer.until("one, running,");
  await outer.type(..."/fork one", "\r");
  await outer.until("is a fork of one", READY);
  // Every change is a line of its own, whoever made it; nothing is ever drawn anew.
  await outer.until("one.1 is there, a fork of one", READY);
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
});

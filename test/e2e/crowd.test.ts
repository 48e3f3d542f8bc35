import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { boot, type VmHandle } from "../../src/runtime/index.ts";
import type { OuterTerminal } from "../ui/support/outer-terminal.ts";
import { DETACH, onTerminal, pane } from "./support/screen.ts";
import { eventually, World } from "./support/world.ts";

const BUSY = 9;
const LISTED = 50;
const world = new World();
const work = join(world.directory, "work");
const machines: VmHandle[] = [];
let outer: OuterTerminal | undefined;

/** One of the programs is typed into; the others write without end and note that they do. */
const program = `
if mkdir typed 2>/dev/null; then echo TYPE HERE; exec cat >received; fi
while :; do cat text; echo >>busy.$$; done`;

beforeAll(async () => {
  vi.stubEnv("MACHINEN_REGISTRY_DIR", world.registry);
  vi.stubEnv("XDG_RUNTIME_DIR", world.directory);
  mkdirSync(work);
  writeFileSync(join(work, "program"), program);
  const line = (n: number): string =>
    `${n} ${"lorem ipsum ".repeat(n % 20)}\x1b[3${n % 8}m${n}\x1b[m`;
  writeFileSync(
    join(work, "text"),
    `${Array.from({ length: 500 }, (_, n) => line(n)).join("\n")}\n`,
  );
  // Real processes in a real registry, without a guest: fifty guests are too many for a small computer.
  for (let i = BUSY; i < LISTED; i++) {
    machines.push(await boot({ binary: "/bin/cat", name: `m${i + 1}` }));
  }
}, 120_000);

afterAll(async () => {
  outer?.kill("SIGKILL");
  await Promise.all(machines.map((machine) => machine.kill()));
  vi.unstubAllEnvs();
  world.dispose();
});

/** How often each of the busy programs has written its text. */
function rounds(): Map<string, number> {
  const files = readdirSync(work).filter((name) => name.startsWith("busy."));
  return new Map(files.map((name) => [name, statSync(join(work, name)).size]));
}

test("among 50 machines and beside busy panes every key arrives, in order, and is echoed", async () => {
  const terminal = onTerminal(
    world,
    `tui --local 'cd ${work}; . ./program' --panes ${BUSY}`,
    200,
    60,
  );
  outer = terminal;
  await terminal.until(`${LISTED} running`, 60_000);
  const inList = () => terminal.lines().filter((line) => /^[ ▸]\S (m|local-)\d+ /.test(line));
  await terminal.until(() => inList().length === LISTED, 60_000);

  const names = Array.from({ length: BUSY }, (_, i) => `local-${i + 1}`);
  const typedInto = () => names.find((each) => pane(terminal, each).includes("TYPE HERE"));
  const name = await eventually("the program to type into", typedInto, 60_000);
  await terminal.type("/", ...name, "\r");
  await terminal.until(
    () => terminal.lines().some((line) => line.startsWith(`▸● ${name} `)),
    60_000,
  );
  await terminal.type("\r");
  await terminal.until("attached", 60_000);
  const text = Array.from({ length: 120 }, (_, n) => `${n} in order\r`).join("");
  await terminal.until(() => rounds().size === BUSY - 1, 60_000);
  const before = rounds();
  for (let at = 0; at < text.length; at += 3) await terminal.type(text.slice(at, at + 3));
  const received = () => readFileSync(join(work, "received"), "utf8");
  await terminal.until(() => received().length >= text.length, 60_000);
  expect(received()).toBe(text.replaceAll("\r", "\n"));
  await terminal.until("119 in order", 60_000);
  // The others have gone on meanwhile: none waits for ever behind the one that is typed into.
  await terminal.until(
    () => [...before].every(([file, size]) => rounds().get(file)! > size),
    60_000,
  );

  await terminal.type(...DETACH);
  await terminal.until(() => !terminal.text().includes("attached"), 60_000);
  await terminal.type("q");
  await terminal.until("EXIT 0", 60_000);
  expect(terminal.text()).toContain("GIVEN BACK");
}, 180_000);

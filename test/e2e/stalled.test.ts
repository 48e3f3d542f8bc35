import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { OuterTerminal } from "../ui/support/outer-terminal.ts";
import { attach, detach, onTerminal, pane, quit } from "./support/screen.ts";
import { eventually, World } from "./support/world.ts";

const READY = 60_000;
const PANES = 4;
/** What each flooding pane writes while the terminal stands still. */
const FLOOD_BYTES = 30_000_000;
const MEMORY_LIMIT = 64 * 1_048_576;
/** A few whole screens, each cell in another colour than the one before it; no backlog of frames. */
const BACKLOG_LIMIT = 250_000;

const world = new World();
const work = join(world.directory, "work");
let outer: OuterTerminal | undefined;
afterAll(() => {
  outer?.kill("SIGKILL");
  world.dispose();
});

/** One is typed into; the others write until they are told to stop, and note how much they have written. */
const program = `
if mkdir typed 2>/dev/null; then echo TYPE HERE; exec cat >received; fi
while [ ! -e stop ]; do cat text; printf x >>busy.$$; done
echo; echo STOPPED; exec sleep 600`;
const text = Array.from(
  { length: 4000 },
  (_, n) => `${n} ${"lorem ipsum ".repeat(n % 9)}\x1b[3${n % 8}m${n}\x1b[m\n`,
).join("");

/** Bytes the panes have written, the one that has written least. */
function flooded(): number {
  const files = readdirSync(work).filter((name) => name.startsWith("busy."));
  if (files.length < PANES - 1) return 0;
  return Math.min(...files.map((name) => statSync(join(work, name)).size)) * text.length;
}

/** The UI: the one process below the terminal's shell. */
function uiPid(shell: number): number {
  const children = readFileSync(`/proc/${shell}/task/${shell}/children`, "utf8").trim().split(" ");
  expect(children).toHaveLength(1);
  return Number(children[0]);
}

function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}

test("a terminal that stands still costs no memory and no key; when it reads again its screen is right", async () => {
  mkdirSync(work);
  writeFileSync(join(work, "program"), program);
  writeFileSync(join(work, "text"), text);
  const terminal = onTerminal(
    world,
    `tui --local 'cd ${work}; . ./program' --panes ${PANES}`,
    160,
    45,
  );
  outer = terminal;
  const names = Array.from({ length: PANES }, (_, n) => `local-${n + 1}`);
  const typedInto = () => names.find((name) => pane(terminal, name).includes("TYPE HERE"));
  const name = await eventually("the program to type into", typedInto, READY);
  await world.ok(["tui", "select", name]);
  await attach(terminal);
  // Scrollbacks are full and programs are compiled: what grows from here on grows without end.
  await terminal.until(() => flooded() > text.length * 4, READY);
  const pid = uiPid(terminal.pid);
  const before = residentBytes(pid);

  terminal.stall();
  const from = flooded();
  const line = "typed at a terminal that stands still";
  const received = () => readFileSync(join(work, "received"), "utf8");
  await terminal.type(...line, "\r");
  await terminal.until(() => received() === `${line}\n`, READY);
  await terminal.until(() => flooded() > from + FLOOD_BYTES, READY * 2);
  await terminal.type(..."and later", "\r");
  await terminal.until(() => received() === `${line}\nand later\n`, READY);
  expect(residentBytes(pid) - before).toBeLessThan(MEMORY_LIMIT);

  writeFileSync(join(work, "stop"), "");
  const drawn = terminal.raw.length;
  terminal.goOn();
  const stopped = () => names.filter((each) => /\nSTOPPED\n/.test(pane(terminal, each)));
  await terminal.until(() => stopped().length === PANES - 1, READY);
  await terminal.until(
    () => pane(terminal, name).startsWith(`TYPE HERE\n${line}\nand later\n\n`),
    READY,
  );
  expect(terminal.raw.length - drawn).toBeLessThan(BACKLOG_LIMIT);
  await detach(terminal);
  await quit(terminal);
}, 240_000);

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import type { ThemeName } from "../../src/ui/config/settings.ts";
import { writeSync } from "../../src/ui/terminal/xterm.ts";
import { themeNamed } from "../../src/ui/theme.ts";
import { referenceTerminal } from "../ui/screen/reference-terminal.ts";
import type { OuterTerminal } from "../ui/support/outer-terminal.ts";
import { onTerminal, pane } from "./support/screen.ts";
import { World } from "./support/world.ts";

const READY = 60_000;
const world = new World();
const configuration = join(world.env.XDG_CONFIG_HOME!, "machinen");
let outer: OuterTerminal;

afterEach(() => {
  outer.kill("SIGKILL");
  rmSync(configuration, { recursive: true, force: true });
});
afterAll(() => world.dispose());

const shown = (): string => pane(outer, "local-1");

/** The real UI with one pane of this computer; its program says READY and waits for a line first. */
async function open(
  script: string,
  config: string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  mkdirSync(configuration, { recursive: true });
  writeFileSync(join(configuration, "config.toml"), config.join("\n"));
  const file = join(world.directory, "program");
  writeFileSync(file, `stty -echo; echo READY; read go\n${script}\nsleep 600\n`);
  const own = { binary: world.binary, env: { ...world.env, ...env } };
  outer = onTerminal(own as World, `tui --local "/bin/sh ${file}"`, 100, 24);
  await outer.until(() => shown().includes("READY"), READY);
}

async function attach(): Promise<void> {
  await outer.type("\r");
  await outer.until("attached", READY);
}

/** Has the program go on. */
async function go(): Promise<void> {
  await attach();
  await outer.type("\r");
}

const says = (text: string): Promise<void> => outer.until(() => shown().includes(text), READY);

test("the kitty keyboard protocol is passed on where the terminal and the program both speak it", async () => {
  await open("stty raw; printf '\\033[>1u\\033[?u'; exec cat -v");
  await outer.until(() => outer.raw.includes("\x1b[?u"), READY);
  await outer.type("\x1b[?0u");
  await go();
  await says("^[[?1u");
  await outer.until(() => outer.raw.includes("\x1b[>1u"), READY);
  await outer.type("\x1b[97;5u");
  await says("^[[97;5u");
  // The detach key in the form it then has; afterwards keys are ours again, in the old form.
  await outer.type("\x1b[93;5u", "\x1b[93;5u");
  await outer.until("j/k select", READY);
  await outer.until(() => outer.raw.includes("\x1b[=0;1u"), READY);
  await outer.type("q");
  await outer.until("GIVEN BACK\nEXIT 0", READY);
  expect(outer.lastIs("\x1b[<u", "\x1b[>1u")).toBe(true);
});

test("where the terminal does not speak it a program that asks is told nothing", async () => {
  await open("stty raw; printf '\\033[>1u\\033[?u\\033[c'; exec cat -v");
  await go();
  // What is asked after it is answered.
  await says("^[[?");
  expect(shown()).not.toMatch(/\^\[\[\?\d+u/);
  expect(outer.raw).not.toContain("\x1b[>1u");
});

const notify =
  "printf '\\033]9;built\\007'; printf '\\033]777;notify;Tests;all pass\\007'; echo AFTER";

test("desktop notifications are passed on when the configuration says so, else not", async () => {
  await open(notify, ["[programs]", "notifications = true"]);
  await go();
  await says("AFTER");
  await outer.until(() => outer.raw.includes("\x1b]9;local-1: Tests: all pass\x07"), READY);
  outer.kill("SIGKILL");
  await open(notify);
  await go();
  await says("AFTER");
  expect(outer.raw).not.toContain("\x1b]9;");
});

const copy = "printf '\\033]52;c;c2VjcmV0\\007\\033]52;c;?\\007'; echo AFTER";

test.each([
  ["deny", false],
  ["allow", true],
])("the clipboard with %s", async (setting, reaches) => {
  await open(copy, ["[programs]", `clipboard = "${setting}"`]);
  await go();
  await says("AFTER");
  if (reaches) await outer.until(() => outer.raw.includes("\x1b]52;c;c2VjcmV0\x07"), READY);
  expect(outer.raw.includes("\x1b]52;")).toBe(reaches);
  expect(outer.text()).not.toContain("wants to put");
});

test("focus events reach a program that asked for them", async () => {
  await open("stty raw; printf '\\033[?1004hASKED'; exec cat -v");
  await go();
  await says("ASKED");
  await outer.type("\x1b[O");
  await says("^[[O");
  await outer.type("\x1b[I");
  await says("^[[O^[[I");
});

test("output is synchronized, and that of a program that never ends its frame is shown all the same", async () => {
  await open("printf '\\033[?2026hwhole\\033[?2026l\\r\\n\\033[?2026hhalf'");
  await go();
  await says("whole\nhalf");
  await outer.type("\x1d", "\x1d", "q");
  await outer.until("GIVEN BACK\nEXIT 0", READY);
  // Between two frames of ours the cursor may move and modes change, but nothing is drawn.
  const between = outer.raw
    .slice(0, outer.raw.lastIndexOf("\x1b[?1049l"))
    .split("\x1b[?2026h")
    .slice(1, -1)
    .map((frame) => frame.split("\x1b[?2026l")[1]);
  expect(between.length).toBeGreaterThan(0);
  for (const rest of between)
    expect(rest).toMatch(/^(\x1b\[[?<=>]?[\d; ]*[hluHq]|\x07|\x1b\][^\x07]*\x07)*$/);
});

test("half a picture of a program that synchronizes its output is not shown", async () => {
  // Longer than our own frames take, shorter than a program may hold its output.
  await open(`while :; do
    i=$((i+1)); printf '\\033[?2026h\\033[H\\033[2Jhalf %s.' $i; sleep 0.06
    printf ' whole %s.\\033[?2026l' $i; sleep 0.03
  done`);
  await go();
  // A computer that is so busy that the program holds its output too long shows halves rightly: what
  // is asked is that many pictures in a row are whole.
  const screen = referenceTerminal(100, 24);
  const text = (): string => {
    const { active } = screen.buffer;
    return Array.from({ length: 24 }, (_, y) => active.getLine(y)?.translateToString()).join("\n");
  };
  let whole = 0;
  let drawn = 0;
  const look = (): boolean => {
    const frames = outer.raw.split(/(?<=\x1b\[\?2026l)/);
    for (const frame of frames.slice(drawn, -1)) {
      const before = text();
      writeSync(screen, frame);
      const [, half, rest] = /half (\d+)\.(?: whole (\d+)\.)?/.exec(text()) ?? [];
      if (half !== rest) whole = 0;
      else if (text() !== before) whole++;
    }
    drawn = frames.length - 1;
    return whole >= 10;
  };
  await outer.until(look, READY);
});

const coloured = "printf '\\033[31mred\\033[0m\\n'; echo AFTER";
const COLOUR = /\x1b\[(?:[\d;:]*;)?(?:3[0-8]|4[0-8]|9\d|10[0-7])[;:\d]*m/;

test("NO_COLOR takes all colours away, those of programs too", async () => {
  await open(coloured, [], { NO_COLOR: "1" });
  await go();
  await says("AFTER");
  expect(shown()).toContain("red");
  expect(outer.raw).not.toMatch(COLOUR);
  outer.kill("SIGKILL");
  await open(coloured, []);
  await go();
  await says("AFTER");
  expect(outer.raw).toMatch(COLOUR);
});

test("on a terminal that can place no cursor plain lines take the place of the screen", async () => {
  const dumb = { binary: "env", env: world.env };
  outer = onTerminal(dumb as World, `TERM=dumb "${world.binary}"`, 100, 24);
  await outer.until("/help", READY);
  await outer.type(..."/quit", "\r");
  await outer.until("GIVEN BACK\nEXIT 0", READY);
  expect(outer.raw).not.toContain("\x1b");
});

test.each(["dark", "light", "high-contrast", "none"] as ThemeName[])(
  "the theme %s",
  async (name) => {
    await open("", ["[look]", `theme = "${name}"`]);
    const theme = themeNamed(name);
    const cells = () => {
      const { active } = outer.screen.buffer;
      return Array.from({ length: outer.screen.rows }, (_, y) =>
        Array.from({ length: outer.screen.cols }, (_, x) => active.getLine(y)!.getCell(x)!),
      ).flat();
    };
    const border = () => cells().find((cell) => cell.getChars() === "╭")!;
    const colour = () => (border().isFgDefault() ? undefined : border().getFgColor());
    const expected = (index: number) => (name === "none" ? undefined : index);
    await outer.until(() => colour() === expected(theme.selected.index), READY);
    const dim = (): boolean => cells().some((cell) => cell.isDim());
    if (theme.dim && name !== "none") await outer.until(dim, READY);
    await attach();
    await outer.until(() => colour() === expected(theme.attached.index), READY);
    if (!theme.dim || name === "none") expect(dim()).toBe(false);
    if (name === "none") expect(outer.raw).not.toMatch(COLOUR);
  },
);

test("copy mode brings back searches, tells a bad expression, and jumps between prompts", async () => {
  const prompts =
    "for i in 1 2 3; do printf '\\033]133;A\\007$ command %s\\n' $i; seq 1 5; done; echo AFTER";
  await open(prompts);
  await go();
  await says("AFTER");
  await outer.type("\x1d", "\x1d");
  await outer.until("j/k select", READY);
  const cursorLine = (): string => outer.lines()[outer.screen.buffer.active.cursorY]!;

  await outer.type("[");
  await outer.until(/copy 0\/\d+/, READY);
  await outer.type("?", ..."command [12]", "\r");
  await outer.until(() => cursorLine().includes("$ command 2"), READY);
  await outer.type("?", ..."command (", "\r");
  await says("no regular expression (unterminated group): taken as it stands; not found");
  await outer.type("/", "\x1b[A");
  await says("/command (");
  await outer.type("\x1b[A");
  await says("/command [12]");
  await outer.type("\x1b[B", "\x1b[A", "\r");
  await outer.until(() => cursorLine().includes("$ command 1"), READY);
  await outer.type("]");
  await outer.until(() => cursorLine().includes("$ command 2"), READY);
  await outer.type("]");
  await outer.until(() => cursorLine().includes("$ command 3"), READY);
  await outer.type("[");
  await outer.until(() => cursorLine().includes("$ command 2"), READY);
  await outer.type("q", "q");
  await outer.until("GIVEN BACK\nEXIT 0", READY);
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { Lockstep } from "./support/lockstep.ts";
import { SideBySide } from "./support/side-by-side.ts";
import { World } from "./support/world.ts";

const world = new World();
let program: SideBySide;
let lockstep: Lockstep;

beforeAll(async () => {
  program = new SideBySide(world, "vttest 24x80.80");
  await program.begin("Enter choice number");
  lockstep = new Lockstep(program);
});
afterAll(() => {
  program.close();
  world.dispose();
});

/** A choice of the menu that is there; for one that asks for keys what it then says, and these keys. */
type Step = string | [choice: string, says: string, ...keys: string[]];

const up = "\x1b[A";
const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

/**
 * All of vttest but what needs a printer, a VT52, a Tektronix or controls of one byte above 0x7f,
 * and, of menu 11, what is a part of another choice or of terminals after the VT220 that are not
 * xterm.
 */
const walks: [name: string, steps: Step[]][] = [
  ["1, cursor movements", ["1"]],
  ["2, screen features", ["2"]],
  ["3, character sets", ["3", "8"]],
  ["4, double-sized characters", ["4"]],
  [
    "5, keyboard",
    [
      "5",
      "1",
      ["2", "Auto Repeat OFF:", "aa\r", "aa\r"],
      "3",
      ["1", "Finish with RETURN", "a", "B", "\r"],
      ["4", "Press each cursor key", up, "\x1b[B", "\t", up, "\t", "\t"],
      ["5", "Press each function key", "1", "-", "\t", "\t", "\t", "\t"],
      "6",
      "7",
      ["8", "Finish with a single RETURN", "\r"],
      ["9", "Finish with DEL", "\x01", "\x02", "\x1a", "\x7f"],
      "0",
    ],
  ],
  [
    "6, terminal reports",
    [
      "6",
      ["1", "Finish this test with RETURN", "\r"],
      ["2", "NewLine mode set. Push the RETURN key:", "\r", "\r"],
      ...numbers(3, 6),
      // No terminal after the VT102 answers this.
      ["7", "argument 0.", "\r", "\r"],
      "0",
    ],
  ],
  ["7, VT52 mode", ["7"]],
  ["8, VT102 features", ["8"]],
  [
    "9, known bugs",
    ["9", ...numbers(1, 3), ["4", "Enter 0 to exit", "0\r"], ...numbers(5, 9), "0"],
  ],
  ["10, reset and self-test", ["10", ...numbers(1, 3), "0"]],
  ["11.1, VT220", ["11", "1", "2", ...numbers(2, 4), "0", "6", "0", "0"]],
  ["11.5, ISO 6429 cursor movement", ["11", "5", ...numbers(1, 9), "0", "0"]],
  ["11.6, ISO 6429 colours", ["11", "6", ...numbers(2, 5), "9", "0", "0"]],
  ["11.7, other ISO 6429", ["11", "7", ...numbers(2, 6), "0", "0"]],
  [
    "11.8, xterm",
    [
      "11",
      "8",
      ["3", "Please enter the new window name", "title\r"],
      "7",
      ...numbers(1, 3),
      "0",
      "0",
      "0",
    ],
  ],
  ["12, test parameters", ["12", "4", "6", "6", "7", "7", "0"]],
];

const inMenu = (): boolean => /Enter choice number \(0 - \d+\): *$/.test(program.beforeCursor());

/** What only a VT52 answers leaves nothing but this on the screen. */
const unanswered = (): boolean =>
  program.beforeCursor() === "" && program.bareText().trimEnd().endsWith("IDENTIFY command");

const waits = (): boolean =>
  inMenu() || /Push <RETURN> *$/.test(program.beforeCursor()) || unanswered();

test.each(walks)("vttest %s, looks the same as on a bare terminal", async (_, steps) => {
  expect(program.bareText()).toContain("Choose test type:");
  for (const step of steps) {
    const [choice, says, ...keys] = typeof step === "string" ? [step] : step;
    const asked = says === undefined ? waits : () => program.bareText().includes(says);
    await lockstep.type(`${choice}\r`, asked);
    for (const [i, key] of keys.entries())
      await lockstep.type(key, i === keys.length - 1 ? waits : undefined);
    for (let screens = 0; !inMenu(); screens++) {
      expect(screens).toBeLessThan(60);
      await lockstep.type("\r", waits);
    }
  }
  expect(program.bareText()).toContain("VT100 test program");
});

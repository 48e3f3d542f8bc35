import { describe, expect, it } from "vitest";
import {
  bindingFor,
  describeKey,
  helpLines,
  hintsFor,
  keymap,
  keyOf,
} from "../../src/ui/keymap.ts";

describe("the key table", () => {
  it("gives every key of a mode one meaning", () => {
    for (const mode of new Set(keymap.map((binding) => binding.mode))) {
      const keys = keymap.filter((binding) => binding.mode === mode).flatMap(({ keys }) => keys);
      expect(new Set(keys).size, mode).toBe(keys.length);
    }
  });

  it("has the keys that are promised", () => {
    const promised = {
      j: "select-next",
      up: "select-previous",
      enter: "attach",
      n: "new",
      f: "fork",
      s: "snapshot",
      r: "restore",
      x: "stop",
      z: "zoom",
      "?": "help",
      q: "quit",
    };
    for (const [key, command] of Object.entries(promised)) {
      expect(bindingFor(keymap, "navigate", key)?.command).toBe(command);
    }
    expect(bindingFor(keymap, "confirm", "y")?.command).toBe("dialog-accept");
    expect(bindingFor(keymap, "confirm", "enter")?.command).toBe("dialog-close");
  });

  it("leaves every key but the detach key to an attached guest", () => {
    expect(keymap.filter(({ mode }) => mode === "attached").map(({ command }) => command)).toEqual([
      "detach",
    ]);
  });
});

it("hints at nothing that needs what is not there", () => {
  const hints = hintsFor(keymap, "navigate", new Set()).map(({ hint }) => hint);
  expect(hints).toContain("new");
  expect(hints).not.toContain("fork");
  expect(hintsFor(keymap, "attached", new Set())).toEqual([
    { key: "Ctrl-] Ctrl-]", hint: "detach" },
  ]);
});

it("writes keys as people do, and explains each in the help", () => {
  expect(describeKey("ctrl-] ctrl-]")).toBe("Ctrl-] Ctrl-]");
  expect(describeKey("ctrl-z")).toBe("Ctrl-Z");
  expect(describeKey("down")).toBe("↓");
  const lines = helpLines(keymap);
  expect(lines.find(({ description }) => description.startsWith("fork"))?.keys).toBe("f");
  expect(lines.every(({ keys, description }) => keys && description)).toBe(true);
});

it("messages name the user's own key, or what to type where there is none", () => {
  expect(keyOf(keymap, "undo")).toBe("u");
  const own = keymap.map((row) => (row.command === "undo" ? { ...row, keys: ["ctrl-u"] } : row));
  expect(keyOf(own, "undo")).toBe("Ctrl-U");
  expect(keyOf(keymap, "ls")).toBe(":ls");
});

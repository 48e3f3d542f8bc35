import { describe, expect, it } from "vitest";
import { Sandboxes, Supervisor } from "../../src/runtime/multiplex/index.ts";
import { commands, isCommand } from "../../src/ui/commands.ts";
import { textWidth } from "../../src/ui/dialogs/dialog-view.ts";
import { dialogView } from "../../src/ui/dialogs/dialog-views.ts";
import { withoutLast, withoutLastWord, withText } from "../../src/ui/dialogs/text-dialogs.ts";
import { paletteEntries, readCommandLine } from "../../src/ui/palette/commands.ts";
import { matchingItems } from "../../src/ui/palette/machines.ts";
import { initialState, reduce, type UiState } from "../../src/ui/state.ts";
import { statusView } from "../../src/ui/status-view.ts";

describe("the command palette", () => {
  const found = (line: string): string[] => paletteEntries(line).map(({ command }) => command);

  it("finds commands by part of their name or meaning, the one spelled out first", () => {
    expect(found("")).toContain("fork");
    expect(found("tab")[0]).toBe("tab");
    expect(found("nxtlay")).toContain("next-layout");
    expect(found("snapshot")).toContain("restore");
    expect(found("qqqq")).toEqual([]);
    expect(found("")).not.toContain("dialog-accept");
  });

  it("keeps to one command once it has its argument", () => {
    expect(found("layout stack")).toEqual(["layout"]);
    expect(readCommandLine("/layout  stack ")).toEqual({ command: "layout", argument: "stack" });
  });

  it("knows the words that the supervisor's own commands have", () => {
    const supervisor = new Supervisor({ sandboxes: new Sandboxes(), commandPrefix: "/" });
    const words = [...supervisor.helpText().matchAll(/^\/(\S+)/gm)].map(([, word]) => word!);
    expect(words.length).toBeGreaterThan(3);
    expect(words.filter((word) => !isCommand(word))).toEqual([]);
  });
});

describe("what the lists below a typed line show", () => {
  const opened = (kind: "palette" | "finder", text = "", cols = 80, rows = 24): UiState =>
    reduce(initialState(cols, rows, 0), {
      type: "dialog-opened",
      dialog: { kind, text, index: 0 },
    });

  it.each([40, 60, 80, 200])("name and key of every command, on a screen %i wide", (cols) => {
    const { lines, width, keyWidth } = dialogView(opened("palette", "new-machine", cols))!;
    const line = lines.find(({ key }) => key?.trimEnd() === "new-machine")!;
    expect(line.text).toMatch(/ N$/);
    expect(line.text.length).toBeLessThanOrEqual(textWidth(width, keyWidth));
  });

  it("what the chosen command takes and does, whole, where there is room for it", () => {
    const text = (cols: number, rows: number): string =>
      dialogView(opened("palette", "layout", cols, rows))!
        .lines.map((line) => line.text)
        .join(" ");
    expect(text(60, 24).replace(/ +/g, " ")).toContain(
      `layout <layout>: ${commands.layout.description}`,
    );
    expect(text(40, 12)).not.toContain("<layout>");
  });

  it("the same word for Enter in the dialog and in the status line", () => {
    for (const [kind, word] of [
      ["palette", "run"],
      ["finder", "go"],
    ] as const) {
      expect(dialogView(opened(kind))!.footer.join()).toContain(`Enter ${word}`);
      expect(statusView(opened(kind)).hints).toContainEqual(
        expect.objectContaining({ key: "Enter", hint: word }),
      );
    }
  });
});

it("finds machines by name and by tag", () => {
  const machine = (pid: number, name: string) =>
    ({ id: `${pid}`, pid, name, state: "running", startedAt: pid }) as const;
  let state = reduce(initialState(120, 40, 0), {
    type: "listed",
    machines: [machine(1, "web"), machine(2, "database")],
    now: 0,
  });
  state = reduce(state, { type: "tagged", machine: "1", tags: ["urgent"] });
  const found = (text: string): string[] => matchingItems(state, text).map(({ pane }) => pane);
  expect(found("")).toEqual(["1/main", "2/main"]);
  expect(found("dtbs")).toEqual(["2/main"]);
  expect(found("#urg")).toEqual(["1/main"]);
});

it("edits lines by what the eye counts as one character", () => {
  expect(withoutLast("héé")).toBe("hé");
  expect(withoutLast("ok👩‍👩‍👧")).toBe("ok");
  expect(withoutLast("")).toBe("");
  expect(withoutLastWord("one two  ")).toBe("one ");
  expect(withText({ kind: "palette", text: "", index: 3 }, "x".repeat(5000))).toMatchObject({
    index: 0,
    text: "x".repeat(1000),
  });
});

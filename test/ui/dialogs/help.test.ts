import { createElement } from "react";
import { expect, it } from "vitest";
import { Dialog } from "../../../src/ui/chrome/Dialog.tsx";
import { ChromeSurface } from "../../../src/ui/chrome/surface.ts";
import { textWidth } from "../../../src/ui/dialogs/dialog-view.ts";
import { dialogLast, dialogView } from "../../../src/ui/dialogs/dialog-views.ts";
import { helpLines, keymap } from "../../../src/ui/keymap.ts";
import { parseFrame } from "../../../src/ui/screen/frame.ts";
import { Grid } from "../../../src/ui/screen/grid.ts";
import { initialState, reduce, type UiState } from "../../../src/ui/state.ts";

function help(cols: number, rows: number, scroll = 0): UiState {
  const dialog = { kind: "help", scroll } as const;
  return reduce(initialState(cols, rows, 0), { type: "dialog-opened", dialog });
}

/** What is read on the screen, without the box and the spaces that break lines. */
function drawn(surface: ChromeSurface, state: UiState): string {
  const view = dialogView(state)!;
  const grid = new Grid(view.width, view.height);
  const frame = surface.draw(createElement(Dialog, { view, ascii: true }), view.width, view.height);
  parseFrame(frame, grid, 0, 0, view.width, view.height);
  const rows = Array.from({ length: view.height }, (_, y) => grid.rowText(y));
  return rows.join("\n");
}

it("no text is wider than its room, whatever the width", () => {
  for (let cols = 40; cols <= 250; cols++) {
    const { lines, keyWidth, width } = dialogView(help(cols, 1000))!;
    const read = lines
      .map(({ text }) => text)
      .join("")
      .replaceAll(" ", "");
    for (const { key, text } of lines) {
      expect(text.length, `${cols} columns`).toBeLessThanOrEqual(
        textWidth(width, key === undefined ? 0 : keyWidth),
      );
    }
    for (const { description } of helpLines(keymap)) {
      expect(read, `${cols} columns`).toContain(description.replaceAll(" ", ""));
    }
  }
});

it("no description is cut on the screen", () => {
  const surface = new ChromeSurface();
  const wanted = helpLines(keymap).map(({ description }) => description.replaceAll(" ", ""));
  for (const cols of [40, 41, 59, 80, 88, 130]) {
    const text = drawn(surface, help(cols, 300));
    expect(text, `${cols} columns`).not.toMatch(/… *\|/);
    const keys = Math.max(...helpLines(keymap).map((line) => line.keys.length));
    const read = text
      .split("\n")
      .map((line) => line.slice(3 + keys + 2, -3))
      .join("")
      .replaceAll(" ", "");
    for (const description of wanted) expect(read, `${cols} columns`).toContain(description);
  }
  surface.close();
});

it("the last line can be reached, and keys stay in one column while one scrolls", () => {
  const surface = new ChromeSurface();
  for (const [cols, rows] of [
    [40, 12],
    [80, 24],
    [200, 50],
  ] as const) {
    const first = help(cols, rows);
    const last = help(cols, rows, dialogLast(first));
    expect(drawn(surface, last).replaceAll(/[\s|]+/g, " "), `${cols}x${rows}`).toMatch(/mouse\. /);
    expect(dialogView(last)!.keyWidth).toBe(dialogView(first)!.keyWidth);
    expect(dialogView(last)!.height).toBeLessThanOrEqual(rows - 1);
  }
  surface.close();
});

import type { Point } from "./cell-text.ts";
import type { CopyCommand } from "./commands.ts";
import type { CopyMode } from "./copy-mode.ts";
import { emptyRow, nextWord, previousWord, wordEnd } from "./motions.ts";

type Motion = (mode: CopyMode) => Point;

const rowsBy =
  (count: (mode: CopyMode) => number): Motion =>
  (mode) => ({ row: mode.cursor.row + count(mode), x: mode.cursor.x });

const onScreen =
  (line: (mode: CopyMode) => number): Motion =>
  (mode) => ({ row: mode.top + line(mode), x: 0 });

const page = (mode: CopyMode): number => Math.max(1, mode.height - 2);
const half = (mode: CopyMode): number => Math.max(1, Math.floor(mode.height / 2));

/** Where each command that only moves the cursor takes it; beyond the edges is cut off later. */
export const motions: Partial<Record<CopyCommand, Motion>> = {
  "copy-left": ({ cursor: { row, x }, snapshot }) => ({
    row,
    x: snapshot.isTail(row, x - 1) ? x - 2 : x - 1,
  }),
  "copy-right": ({ cursor: { row, x }, snapshot }) => ({
    row,
    x: snapshot.isTail(row, x + 1) ? x + 2 : x + 1,
  }),
  "copy-up": rowsBy(() => -1),
  "copy-down": rowsBy(() => 1),
  "copy-line-start": ({ cursor, snapshot }) => ({
    row: snapshot.logicalLine(cursor.row).row,
    x: 0,
  }),
  "copy-line-text": ({ cursor, snapshot, text }) => {
    const { row } = snapshot.logicalLine(cursor.row);
    let x = 0;
    while (x < text.end(row) && text.classAt({ row, x }) === "space") x++;
    return { row, x };
  },
  "copy-line-end": ({ cursor, snapshot, text }) => {
    const line = snapshot.logicalLine(cursor.row);
    const row = line.row + line.rows - 1;
    return { row, x: text.end(row) - 1 };
  },
  "copy-word-next": ({ text, cursor }) => nextWord(text, cursor),
  "copy-word-previous": ({ text, cursor }) => previousWord(text, cursor),
  "copy-word-end": ({ text, cursor }) => wordEnd(text, cursor),
  "copy-space-next": ({ text, cursor }) => nextWord(text, cursor, true),
  "copy-space-previous": ({ text, cursor }) => previousWord(text, cursor, true),
  "copy-space-end": ({ text, cursor }) => wordEnd(text, cursor, true),
  "copy-top": () => ({ row: 0, x: 0 }),
  "copy-bottom": ({ snapshot }) => ({ row: snapshot.length - 1, x: 0 }),
  "copy-screen-top": onScreen(() => 0),
  "copy-screen-middle": onScreen((mode) => Math.floor((mode.height - 1) / 2)),
  "copy-screen-bottom": onScreen((mode) => mode.height - 1),
  "copy-page-up": rowsBy((mode) => -page(mode)),
  "copy-page-down": rowsBy(page),
  "copy-half-up": rowsBy((mode) => -half(mode)),
  "copy-half-down": rowsBy(half),
  "copy-paragraph-previous": ({ text, cursor }) => ({ row: emptyRow(text, cursor.row, -1), x: 0 }),
  "copy-paragraph-next": ({ text, cursor }) => ({ row: emptyRow(text, cursor.row, 1), x: 0 }),
  "copy-prompt-previous": ({ snapshot, cursor }) => ({
    row: snapshot.prompts.findLast((row) => row < cursor.row) ?? cursor.row,
    x: 0,
  }),
  "copy-prompt-next": ({ snapshot, cursor }) => ({
    row: snapshot.prompts.find((row) => row > cursor.row) ?? cursor.row,
    x: 0,
  }),
};

import { CopyMode } from "../../../src/ui/copy-mode/copy-mode.ts";
import { PaneTerminal } from "../../../src/ui/terminal/pane-terminal.ts";

/** Copy mode over a pane that shows `text`, its cursor at the end of it. */
export function copyModeOn(
  text: string,
  { cols = 20, rows = 4, scrollback = 100 } = {},
): { mode: CopyMode; pane: PaneTerminal } {
  const pane = new PaneTerminal({ cols, rows, scrollback });
  pane.write(text.replaceAll("\n", "\r\n"));
  const { x, y } = pane.cursor;
  const mode = new CopyMode(pane.snapshot(), { row: pane.historyLines + y, x });
  return { mode, pane };
}

/**
 * CPU per frame of the pane compositor at 200x60 with 4 panes: parse the panes' output, copy the
 * cells, paint the difference. Run: npx esbuild bench/compositor.ts --bundle --platform=node | node
 */
import { Grid } from "../src/ui/screen/grid.ts";
import { Painter } from "../src/ui/screen/painter.ts";
import { PaneTerminal } from "../src/ui/terminal/pane-terminal.ts";

const COLS = 200;
const ROWS = 60;
const PANE = { cols: 84, rows: 27 };
const FRAMES = 2000;

const grid = new Grid(COLS, ROWS);
const painter = new Painter();
const panes = [0, 1, 2, 3].map((i) => ({
  terminal: new PaneTerminal(PANE),
  x: 29 + (i % 2) * (PANE.cols + 2),
  y: 1 + Math.floor(i / 2) * (PANE.rows + 2),
}));

function frame(): number {
  for (const { terminal, x, y } of panes) terminal.copyTo(grid, x, y, PANE.cols, PANE.rows);
  return painter.paint(grid, panes[0]?.terminal.cursor ?? null).length;
}

function measure(name: string, output: (frame: number, pane: number) => string): void {
  let bytes = 0;
  let drawing = 0;
  const run = (frames: number) => {
    bytes = 0;
    drawing = 0;
    const start = process.cpuUsage();
    for (let i = 0; i < frames; i++) {
      panes.forEach(({ terminal }, pane) => {
        const text = output(i, pane);
        if (text) terminal.write(text);
      });
      const before = process.hrtime.bigint();
      bytes += frame();
      drawing += Number(process.hrtime.bigint() - before) / 1e6;
    }
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000 / frames;
  };
  run(FRAMES / 4);
  const cpu = run(FRAMES);
  const columns = [cpu.toFixed(4), (drawing / FRAMES).toFixed(4), Math.round(bytes / FRAMES)];
  console.log(
    `${name.padEnd(28)} ${columns.map((column) => String(column).padStart(10)).join("")}`,
  );
}

console.log(`${"200x60, 4 panes".padEnd(28)}    ms CPU   ms drawn     bytes`);
measure("one line scrolls in each", (i, pane) => `\r\npane ${pane} line ${i} ${"word ".repeat(9)}`);
measure("one pane echoes a key", (i, pane) => (pane === 0 ? (i % 60 ? "k" : "\r\x1b[K") : ""));
measure("full colour redraw of each", (i, pane) => {
  let text = "\x1b[H";
  for (let y = 0; y < PANE.rows; y++) {
    const colours = `\x1b[38;5;${(i + y) % 256};48;5;${(pane * 40 + y) % 256}m`;
    text += `\x1b[${y + 1}H${colours}${String(i * y).padEnd(PANE.cols, "█ ▓.")}`;
  }
  return text;
});
measure("nothing changes", () => "");
process.exit(0);

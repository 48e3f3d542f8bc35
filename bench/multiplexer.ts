import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Contestant, machinen, tmux } from "./contestants.ts";
import type { OuterTerminal } from "./outer-terminal.ts";
import { cpuSeconds, memoryMib } from "./process-usage.ts";
import type { Row } from "./report.ts";
import { percentile } from "./statistics.ts";

const FLOOD_BYTES = 20_000_000;
const KEYS = 100;
/** Keys less than about a millisecond apart are taken for a paste. */
const KEY_GAP_MS = 25;
const IDLE_MS = 5000;
const STALL_MS = 2000;
const MANY_PANES = 4;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What is measured of each contestant; rows of the report are made of it. */
const FIGURES = {
  startup: { what: "start to the first prompt", unit: "ms" },
  flood1: { what: "flood through a pane", unit: "MB/s" },
  drawn1: { what: "drawn in the flood", unit: "MB" },
  echo1: { what: "key to echo", unit: "ms" },
  memory1: { what: "memory, 1 pane, after the flood", unit: "MiB" },
  flood4: { what: "flood, 4 panes", unit: "MB/s" },
  echo4: { what: "key to echo, 4 panes", unit: "ms" },
  load4: { what: "key to echo, another pane floods", unit: "ms" },
  stall4: { what: "key to echo after the terminal stalled", unit: "ms" },
  idle4: { what: "processor time of 4 idle panes", unit: "%" },
  memory4: { what: "memory, 4 panes", unit: "MiB" },
} as const;
type Figure = keyof typeof FIGURES;
type Figures = Record<Figure, number[]>;

/** Figures of which the slow end counts as much as the middle. */
const WITH_P95: Figure[] = ["echo1", "echo4", "load4"];

const emptyFigures = (): Figures =>
  Object.fromEntries(Object.keys(FIGURES).map((key) => [key, []])) as unknown as Figures;

/** Characters that stand in no escape sequence and not in the flood. */
const glyphs = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => String.fromCodePoint(0x100 + (i % 128)));

/** A marker no earlier one shares a character with, as octal escapes for printf. */
let markers = 0;
function nextMarker(): { text: string; octal: string } {
  const text = [...glyphs(8)]
    .map((_, i) => String.fromCodePoint(0x190 + ((markers * 8 + i) % 192)))
    .join("");
  markers++;
  const octal = [...Buffer.from(text)].map((b) => `\\${b.toString(8).padStart(3, "0")}`).join("");
  return { text, octal };
}

async function flood(terminal: OuterTerminal, directory: string): Promise<[number, number]> {
  const marker = nextMarker();
  const script = join(directory, "flood.sh");
  writeFileSync(script, `cat ${join(directory, "flood.txt")}\nprintf '${marker.octal}\\n'\n`);
  terminal.type(`. ${script}`);
  await terminal.settle();
  const before = terminal.bytes;
  const start = performance.now();
  const seen = terminal.expect(marker.text, 120_000);
  terminal.type("\r");
  const rate = FLOOD_BYTES / 1e6 / (((await seen) - start) / 1000);
  await terminal.settle();
  return [rate, (terminal.bytes - before) / 1e6];
}

async function echo(terminal: OuterTerminal, keys = KEYS): Promise<number[]> {
  const times: number[] = [];
  terminal.type("cat\r");
  await sleep(500);
  for (const glyph of glyphs(keys)) {
    const drawn = terminal.expect(glyph, 10_000);
    const typed = performance.now();
    terminal.type(glyph);
    times.push((await drawn) - typed);
    await sleep(KEY_GAP_MS);
  }
  // Ends `cat`, and leaves a fresh prompt.
  terminal.type("\x03");
  await sleep(200);
  return times;
}

async function startup(contestant: Contestant): Promise<number> {
  const start = performance.now();
  const terminal = contestant.start(1);
  try {
    return (await terminal.expect("$", 30_000)) - start;
  } finally {
    contestant.stop();
    terminal.kill();
    await terminal.exited;
  }
}

async function withPanes(
  contestant: Contestant,
  panes: number,
  work: (terminal: OuterTerminal) => Promise<void>,
): Promise<void> {
  const terminal = contestant.start(panes);
  try {
    await contestant.enter(terminal, panes);
    await work(terminal);
  } finally {
    contestant.stop();
    terminal.kill();
    await terminal.exited;
  }
}

async function measureOnce(contestant: Contestant, directory: string, figures: Figures) {
  figures.startup.push(await startup(contestant));
  await withPanes(contestant, 1, async (terminal) => {
    const [rate, drawn] = await flood(terminal, directory);
    figures.flood1.push(rate);
    figures.drawn1.push(drawn);
    figures.echo1.push(...(await echo(terminal)));
    figures.memory1.push(memoryMib(contestant.pids(terminal)));
  });
  await withPanes(contestant, MANY_PANES, async (terminal) => {
    const pids = contestant.pids(terminal);
    const before = cpuSeconds(pids);
    await sleep(IDLE_MS);
    figures.idle4.push(((cpuSeconds(pids) - before) / (IDLE_MS / 1000)) * 100);
    figures.memory4.push(memoryMib(pids));
    const [rate] = await flood(terminal, directory);
    figures.flood4.push(rate);
    figures.echo4.push(...(await echo(terminal)));
    await contestant.next(terminal);
    terminal.type("yes\r");
    // Keys that follow at once would be taken for a paste.
    await sleep(300);
    await contestant.next(terminal);
    figures.load4.push(...(await echo(terminal)));
    terminal.pause();
    await sleep(STALL_MS);
    terminal.resume();
    figures.stall4.push(...(await echo(terminal, 1)));
  });
}

/** Text of varying line lengths, the same for every contestant. */
function floodText(): string {
  const words = "lorem ipsum dolor sit amet consetetur sadipscing elitr sed diam nonumy".split(" ");
  const lines: string[] = [];
  for (let size = 0, n = 0; size < FLOOD_BYTES; n++) {
    const line = Array.from({ length: 3 + (n % 17) }, (_, i) => words[(n * 7 + i * 3) % 11]).join(
      " ",
    );
    size += line.length + 1;
    lines.push(line);
  }
  return `${lines.join("\n").slice(0, FLOOD_BYTES - 1)}\n`;
}

function rowsOf(contestants: readonly Contestant[], all: readonly Figures[]): Row[] {
  const rows: Row[] = [];
  const add = (what: string, unit: string, values: (figures: Figures) => number[]): void => {
    for (const [i, { name }] of contestants.entries()) {
      const against = i === 0 ? {} : { against: `${what}, ${contestants[0]!.name}` };
      rows.push({ what: `${what}, ${name}`, unit, values: values(all[i]!), ...against });
    }
  };
  for (const [key, { what, unit }] of Object.entries(FIGURES) as [
    Figure,
    (typeof FIGURES)[Figure],
  ][]) {
    add(what, unit, (figures) => figures[key]);
    if (WITH_P95.includes(key))
      add(`${what}, p95`, unit, (figures) => [percentile(figures[key], 95)]);
  }
  return rows;
}

/** tmux beside machinen, by turns under one driver, 200x50, with one pane and with four. */
export async function measureMultiplexers(
  runs: number,
  log: (line: string) => void,
): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), "machinen-bench-"));
  try {
    writeFileSync(join(directory, "flood.txt"), floodText());
    const contestants = [tmux(directory), machinen(directory)];
    const all = contestants.map(emptyFigures);
    for (let round = 0; round < runs; round++) {
      for (const [i, contestant] of contestants.entries()) {
        await measureOnce(contestant, directory, all[i]!);
      }
      log(`multiplexers: run ${round + 1} of ${runs}`);
    }
    return rowsOf(contestants, all);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OuterTerminal } from "./outer-terminal.ts";
import type { Row } from "./report.ts";
import { percentile } from "./statistics.ts";

const COLS = 200;
const ROWS = 50;
const FLOOD_BYTES = 20_000_000;
const KEYS = 100;
/** Keys less than about a millisecond apart are taken for a paste. */
const KEY_GAP_MS = 25;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A multiplexer under test: how to start it with one full-size pane, and how to end it. */
interface Contestant {
  name: string;
  start(env: Record<string, string>): OuterTerminal;
  /** Bring a shell in a full-size pane under the keys. */
  prepare(terminal: OuterTerminal): Promise<void>;
  stop(): void;
}

interface Figures {
  flood: number[];
  echo: number[];
  drawn: number[];
}

/** Characters that stand in no escape sequence and not in the flood. */
const glyphs = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => String.fromCodePoint(0x100 + (i % 128)));

async function measureOnce(
  contestant: Contestant,
  directory: string,
  round: number,
): Promise<Figures> {
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? "",
    HOME: directory,
    SHELL: "/bin/sh",
    PS1: "$ ",
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
    COLORTERM: "truecolor",
  };
  const terminal = contestant.start(env);
  const figures: Figures = { flood: [], echo: [], drawn: [] };
  try {
    await contestant.prepare(terminal);
    const marker = [...glyphs(8)].map((_, i) =>
      String.fromCodePoint(0x190 + ((round * 8 + i) % 64)),
    );
    const octal = [...Buffer.from(marker.join(""))].map(
      (b) => `\\${b.toString(8).padStart(3, "0")}`,
    );
    const script = join(directory, "flood.sh");
    writeFileSync(script, `cat ${join(directory, "flood.txt")}\nprintf '${octal.join("")}\\n'\n`);
    terminal.type(`. ${script}`);
    await terminal.settle();
    const bytesBefore = terminal.bytes;
    const start = performance.now();
    const seen = terminal.expect(marker.join(""), 60_000);
    terminal.type("\r");
    figures.flood.push(FLOOD_BYTES / 1e6 / (((await seen) - start) / 1000));
    await terminal.settle();
    figures.drawn.push((terminal.bytes - bytesBefore) / 1e6);
    terminal.type("cat\r");
    await terminal.settle();
    for (const glyph of glyphs(KEYS)) {
      const typed = performance.now();
      const drawn = terminal.expect(glyph, 5000);
      terminal.type(glyph);
      figures.echo.push((await drawn) - typed);
      await sleep(KEY_GAP_MS);
    }
  } finally {
    contestant.stop();
    terminal.kill();
    await terminal.exited;
  }
  return figures;
}

function tmux(directory: string): Contestant {
  const socket = join(directory, "tmux.sock");
  const base = ["-S", socket, "-f", "/dev/null"];
  return {
    name: "tmux",
    start: (env) => new OuterTerminal("tmux", [...base, "new-session"], COLS, ROWS, env),
    prepare: (terminal) => terminal.settle(500),
    stop: () => void spawnSync("tmux", [...base, "kill-server"]),
  };
}

function machinen(): Contestant {
  return {
    name: "machinen",
    start: (env) =>
      new OuterTerminal(process.execPath, [process.argv[1]!, "--local-ui"], COLS, ROWS, env),
    async prepare(terminal) {
      await terminal.settle(500);
      terminal.type("z");
      await terminal.settle();
      terminal.type("\r");
      await terminal.settle();
    },
    stop() {},
  };
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

/** tmux beside machinen, by turns under one driver: a flood, echo of single keys, bytes drawn. */
export async function measureMultiplexers(
  runs: number,
  log: (line: string) => void,
): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), "machinen-bench-"));
  const rows: Row[] = [];
  try {
    writeFileSync(join(directory, "flood.txt"), floodText());
    const contestants = [tmux(directory), machinen()];
    const all = contestants.map((): Figures => ({ flood: [], echo: [], drawn: [] }));
    const rounds = Math.min(runs, 5);
    for (let round = 0; round < rounds; round++) {
      for (const [i, contestant] of contestants.entries()) {
        const once = await measureOnce(contestant, directory, round);
        for (const key of ["flood", "echo", "drawn"] as const) all[i]![key].push(...once[key]);
      }
      log(`multiplexers: run ${round + 1} of ${rounds}`);
    }
    const kinds = [
      ["flood", "flood through a pane", "MB/s"],
      ["drawn", "drawn in the flood", "MB"],
      ["echo", "key to echo", "ms"],
    ] as const;
    for (const [key, what, unit] of kinds) {
      rows.push({ what: `${what}, tmux`, unit, values: all[0]![key] });
      rows.push({
        what: `${what}, machinen`,
        unit,
        values: all[1]![key],
        against: `${what}, tmux`,
      });
    }
    const p95 = all.map((figures) => percentile(figures.echo, 95));
    rows.push({ what: "key to echo p95, tmux", unit: "ms", values: [p95[0]!] });
    rows.push({
      what: "key to echo p95, machinen",
      unit: "ms",
      values: [p95[1]!],
      against: "key to echo p95, tmux",
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return rows;
}

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IPty, spawn } from "node-pty";
import { packageRoot } from "../../../src/runtime/package-root.ts";
import { Grid } from "../../../src/ui/screen/grid.ts";
import { PaneTerminal } from "../../../src/ui/terminal/pane-terminal.ts";
import { gridCells, referenceTerminal, terminalCells } from "../../ui/screen/reference-terminal.ts";
import { progress, sleeps } from "./process-io.ts";
import type { World } from "./world.ts";

const COLS = 80;
const ROWS = 24;
/** The zoomed pane's title line above, the status line below. */
const CHROME_ROWS = 2;
const QUIET_MS = 60;
const EQUAL_MS = 60_000;

type Screen = string[];

/** Of a process that may have ended. */
function whileThere<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}

/** One program twice: in a pane of the real TUI, and on a bare PTY of the pane's size. */
export class SideBySide {
  private readonly home = mkdtempSync(join(tmpdir(), "side-"));
  private readonly env: Record<string, string>;
  private readonly tui: IPty;
  private readonly outer = referenceTerminal(COLS, ROWS + CHROME_ROWS);
  private readonly pane: PaneTerminal;
  private readonly grid = new Grid(COLS, ROWS);
  private bare: IPty | undefined;
  private changedAt = 0;
  private pids: number[] = [];

  constructor(world: World, command: string, files: Record<string, string> = {}) {
    for (const side of ["pane", "bare"]) {
      mkdirSync(join(this.home, side));
      for (const [name, text] of Object.entries(files)) {
        writeFileSync(join(this.home, side, name), text);
      }
    }
    this.env = {
      ...(world.env as Record<string, string>),
      PS1: "$ ",
      COLORTERM: "truecolor",
      ESCDELAY: "25",
      XDG_STATE_HOME: this.home,
    };
    writeFileSync(
      join(this.home, "run"),
      `until [ -e "${this.home}/go" ] && [ "$(stty size)" = "${ROWS} ${COLS}" ]; do sleep 0.05; done
export HOME="${this.home}/$1" TMUX_TMPDIR="${this.home}/$1"
echo $$ >"${this.home}/$1.pid"; stty sane; cd; clear; ${command}; echo ENDED; sleep 600\n`,
    );
    this.tui = this.start(
      join(packageRoot(), "bin", "machinen"),
      ["tui", "--local", `/bin/sh ${this.home}/run pane`],
      ROWS + CHROME_ROWS,
    );
    this.tui.onData((data) => {
      this.changedAt = performance.now();
      this.outer.write(data);
    });
    this.pane = new PaneTerminal({
      cols: COLS,
      rows: ROWS,
      onReply: (bytes) => this.bare?.write(Buffer.from(bytes).toString("latin1")),
    });
  }

  /** Has the pane fill the screen and the keys; the program starts on both sides. */
  async begin(first: string | RegExp): Promise<void> {
    await this.until("the pane is there", () => this.outerText().includes("╭─ local-1"));
    this.tui.write("z");
    await this.until("the pane is zoomed", () => !this.outerText().includes("╭─"));
    this.tui.write("\r");
    await this.until("the pane is attached", () => this.outerText().includes("attached"));
    writeFileSync(join(this.home, "go"), "");
    this.bare = this.start("/bin/sh", [join(this.home, "run"), "bare"], ROWS);
    this.bare.onData((data) => {
      this.changedAt = performance.now();
      this.pane.write(data);
    });
    await this.until(`the program shows ${first}`, () =>
      typeof first === "string" ? this.bareText().includes(first) : first.test(this.bareText()),
    );
    await this.same("the start");
    this.pids = this.programs();
  }

  /**
   * Types on both sides, and waits until both programs have read it and wait for more, or show what is
   * expected, and both screens are quiet and the same, cell by cell.
   */
  async type(keys: string, shows?: RegExp): Promise<Screen> {
    const wanted = this.pids.map((pid) => whileThere(() => progress(pid).read + keys.length, 0));
    this.write(keys);
    const wait = (pid: number, i: number): boolean =>
      whileThere(() => progress(pid).read >= wanted[i]! && sleeps(pid), true);
    return this.same(JSON.stringify(keys), () =>
      shows ? shows.test(this.bareText()) : this.pids.every(wait),
    );
  }

  /** Types on both sides. */
  write(keys: string): void {
    this.tui.write(keys);
    // A terminal sends arrow keys in the form the program has asked for, as the pane does.
    const application = this.pane.modes.applicationCursorKeys;
    this.bare?.write(application ? keys.replace(/\x1b\[([A-D])/g, "\x1bO$1") : keys);
  }

  /** The programs' processes. */
  programs(): number[] {
    return ["pane", "bare"].map((side) => {
      const shell = readFileSync(join(this.home, `${side}.pid`), "utf8").trim();
      return Number.parseInt(readFileSync(`/proc/${shell}/task/${shell}/children`, "utf8"), 10);
    });
  }

  /** The text between the cursor on the bare terminal and the start of its line. */
  beforeCursor(): string {
    this.onBare();
    return this.grid.rowText(this.pane.cursor.y).slice(0, this.pane.cursor.x);
  }

  async same(what: string, ready: () => boolean = () => true): Promise<Screen> {
    this.changedAt = performance.now();
    const end = performance.now() + EQUAL_MS;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 15));
      const [late, quiet] = [
        performance.now() >= end,
        performance.now() - this.changedAt >= QUIET_MS,
      ];
      if (!late && (!quiet || !ready())) continue;
      const [inPane, bare] = [this.inPane(), this.onBare()];
      const different = bare.filter((cell, i) => cell !== inPane[i]);
      if (different.length === 0 && quiet && ready()) return bare;
      if (!late) continue;
      const pairs = bare.flatMap((cell, i) =>
        cell === inPane[i] ? [] : [`${cell} | ${inPane[i]}`],
      );
      throw new Error(
        `after ${what} it was not as expected, or ${different.length} cells differ (bare | pane):\n${pairs.slice(0, 20).join("\n")}\n${this.outerText()}\n--- bare\n${this.bareText()}`,
      );
    }
  }

  bareText(): string {
    this.onBare();
    return Array.from({ length: ROWS }, (_, y) => this.grid.rowText(y)).join("\n");
  }

  close(): void {
    for (const program of [this.bare, this.tui]) {
      try {
        program?.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
    this.pane.dispose();
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }

  private start(file: string, args: string[], rows: number): IPty {
    return spawn(file, args, { cols: COLS, rows, name: "xterm-256color", env: this.env });
  }

  private inPane(): Screen {
    const cells = terminalCells(this.outer).slice(COLS, COLS * (ROWS + 1));
    return cells.map((cell) => cell.replace(/^(\d+)/, (row) => String(Number(row) - 1)));
  }

  private onBare(): Screen {
    this.pane.copyTo(this.grid, 0, 0, COLS, ROWS);
    return gridCells(this.grid);
  }

  private outerText(): string {
    const { active } = this.outer.buffer;
    const lines = Array.from(
      { length: this.outer.rows },
      (_, y) => active.getLine(y)?.translateToString(true) ?? "",
    );
    return lines.join("\n");
  }

  private async until(what: string, met: () => boolean): Promise<void> {
    const end = performance.now() + 60_000;
    while (!met()) {
      if (performance.now() > end) throw new Error(`never came: ${what}\n${this.outerText()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

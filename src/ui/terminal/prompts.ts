import type { XtermCore, XtermMarker, XtermTerminal } from "./xterm.ts";

/** Prompts remembered per pane; older ones are forgotten first. */
const PROMPT_LIMIT = 1000;

/** What the shell says it is doing, by OSC 133; "unknown" until it says anything. */
export interface ShellState {
  at: "unknown" | "prompt" | "command";
  /** Of the last command that ended, when the shell told it. */
  exitCode?: number;
  /** Commands that have ended so far. */
  finished: number;
}

/** Follows a shell's own marks (OSC 133): where its prompts stand and whether it waits for input. */
export class PromptMarks {
  private readonly core: XtermCore;
  private markers: XtermMarker[] = [];
  private shell: ShellState = { at: "unknown", finished: 0 };
  /** The shell marks where its prompt ends, and so also where a command's output begins. */
  private marksInput = false;

  constructor(terminal: XtermTerminal, core: XtermCore) {
    this.core = core;
    terminal.parser.registerOscHandler(133, (data) => {
      this.mark(data);
      return true;
    });
    // Of a shell with fewer marks: after its prompt a new line begins when Enter is pressed.
    terminal.onLineFeed(() => {
      if (this.shell.at === "prompt" && !this.marksInput) this.begin();
    });
    terminal.parser.registerEscHandler({ final: "c" }, () => {
      this.shell = { at: "unknown", finished: this.shell.finished };
      return false;
    });
  }

  get state(): ShellState {
    return this.shell;
  }

  /** Buffer lines of the prompts, in order. */
  lines(): number[] {
    this.markers = this.markers.filter((marker) => !marker.isDisposed);
    const lines = this.markers.map(({ line }) => line).sort((a, b) => a - b);
    return lines.filter((line, i) => line !== lines[i - 1]);
  }

  private mark(data: string): void {
    const [kind, code] = data.split(";", 2);
    if (kind === "A" || kind === "P") this.addPrompt();
    if (kind === "B") this.marksInput = true;
    if (kind === "A" || kind === "B") this.shell = { ...this.shell, at: "prompt" };
    else if (kind === "C") this.begin();
    else if (kind === "D" && this.shell.at === "command") {
      const exitCode = /^\d{1,3}$/.test(code ?? "") ? Number(code) : undefined;
      this.shell = { at: "prompt", exitCode, finished: this.shell.finished + 1 };
    }
  }

  private begin(): void {
    this.shell = { ...this.shell, at: "command", exitCode: undefined };
  }

  private addPrompt(): void {
    const { active, normal } = this.core.buffers;
    if (active !== normal) return;
    const line = normal.ybase + normal.y;
    const last = this.markers.at(-1);
    if (last && !last.isDisposed && last.line === line) return;
    this.markers.push(normal.addMarker(line));
    if (this.markers.length > PROMPT_LIMIT) this.markers.shift()?.dispose();
  }
}

import { OnceTimer } from "../once-timer.ts";
import type { ShellState } from "../terminal/prompts.ts";
import type { AlertKind } from "./alert.ts";

/** Output with shorter pauses than this is one stretch of work. */
const pauseMs = 2000;
/** A stretch of work this long makes its end worth knowing. */
const busyMs = 3000;

export interface PaneWatchOptions {
  /** ms without output after a stretch of work; 0 for never. */
  silenceMs: number;
  onAlert(kind: AlertKind, exitCode?: number): void;
}

/** Finds in one pane's output what somebody who looks elsewhere should know. */
export class PaneWatch {
  private readonly options: PaneWatchOptions;
  private readonly silence: OnceTimer;
  private busySince = 0;
  private lastOutput = 0;
  private shell: ShellState = { at: "unknown", finished: 0 };

  constructor(options: PaneWatchOptions) {
    this.options = options;
    this.silence = new OnceTimer(() => this.checkSilence());
  }

  /** What was drawn before is where the watch begins. */
  began(shell: ShellState): void {
    this.shell = shell;
  }

  /** To be called after output has been drawn; `now` in ms of any clock that does not go back. */
  output(shell: ShellState, now: number): void {
    if (now - this.lastOutput > pauseMs) this.busySince = now;
    this.lastOutput = now;
    const ended = shell.finished > this.shell.finished;
    this.shell = shell;
    if (ended) {
      const failed = (shell.exitCode ?? 0) !== 0;
      this.options.onAlert(failed ? "failed" : "finished", shell.exitCode);
    } else this.options.onAlert("activity");
    if (this.options.silenceMs > 0 && now - this.busySince >= busyMs && shell.at !== "prompt") {
      this.silence.start(this.options.silenceMs);
    }
  }

  stop(): void {
    this.silence.stop();
  }

  /** Output may have gone on since the timer was started: it is not restarted for every piece. */
  private checkSilence(): void {
    const rest = this.lastOutput + this.options.silenceMs - performance.now();
    if (rest > 0) this.silence.start(rest);
    else if (this.shell.at !== "prompt") this.options.onAlert("silence");
  }
}

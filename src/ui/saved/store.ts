import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describeError } from "../errors.ts";
import { OnceTimer } from "../once-timer.ts";
import type { UiState } from "../state.ts";
import { parseWorkspace, type SavedWorkspace, savedWorkspace } from "./workspace.ts";

/** Changes of this long are written at once: dragging a border is one change. */
const quietMs = 300;

export interface WorkspaceStoreOptions {
  file: string;
  onProblem(text: string): void;
}

/** Keeps the workspace in a file: readers see the old or the new one, never a part. */
export class WorkspaceStore {
  private readonly options: WorkspaceStoreOptions;
  private readonly timer = new OnceTimer(() => this.flush());
  private latest: UiState | undefined;
  private written = "";
  private failing = false;

  constructor(options: WorkspaceStoreOptions) {
    this.options = options;
  }

  /** What was saved. A file that cannot be used is reported and kept beside the next one. */
  load(): SavedWorkspace | undefined {
    const { file, onProblem } = this.options;
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        onProblem(`saved layout ${file}: ${describeError(error)}; starting with the usual one`);
      }
      return undefined;
    }
    try {
      return parseWorkspace(text);
    } catch (error) {
      onProblem(
        `saved layout ${file} cannot be used: ${describeError(error)}; ` +
          `starting with the usual one, keeping it as ${file}.bad`,
      );
      try {
        renameSync(file, `${file}.bad`);
      } catch {
        // It stays until the next save replaces it.
      }
      return undefined;
    }
  }

  /** The state is to be saved soon. */
  note(state: UiState): void {
    this.latest = state;
    this.timer.start(quietMs);
  }

  /** Saves what is not saved yet. */
  flush(): void {
    this.timer.stop();
    const { latest } = this;
    this.latest = undefined;
    if (!latest?.listed) return;
    const text = `${JSON.stringify(savedWorkspace(latest), undefined, 1)}\n`;
    if (text === this.written) return;
    const { file, onProblem } = this.options;
    try {
      replaceFile(file, text);
      this.written = text;
      this.failing = false;
    } catch (error) {
      if (!this.failing) onProblem(`saving the layout: ${describeError(error)}`);
      this.failing = true;
    }
  }
}

function replaceFile(file: string, text: string): void {
  const staged = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(staged, text, { mode: 0o600 });
    renameSync(staged, file);
  } catch (error) {
    rmSync(staged, { force: true });
    throw error;
  }
}

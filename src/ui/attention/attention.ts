import { type PaneId, paneTarget } from "../layout/pane-id.ts";
import { visiblePanes } from "../selectors.ts";
import type { Action, UiState } from "../state.ts";
import type { ShellState } from "../terminal/prompts.ts";
import type { AlertKind } from "./alert.ts";
import { PaneWatch } from "./pane-watch.ts";

export interface AttentionOptions {
  /** ms without output after a stretch of work; 0 for never. */
  silenceMs: number;
  dispatch(action: Action): void;
  /** Let the user hear it. */
  onBell(): void;
}

/** Tells which panes want to be looked at: what happens where the user is not looking. */
export class Attention {
  private readonly options: AttentionOptions;
  private readonly watches = new Map<PaneId, PaneWatch>();
  private state: UiState | undefined;
  private visible = new Set<PaneId>();

  constructor(options: AttentionOptions) {
    this.options = options;
  }

  /** To be called with every new state. */
  sync(state: UiState): void {
    this.state = state;
    this.visible = new Set(visiblePanes(state).map(({ id }) => id));
    for (const [id, watch] of this.watches) {
      if (state.panes[id]) continue;
      watch.stop();
      this.watches.delete(id);
    }
  }

  /** A session is shown: what its commands came to before, in a fork's source for one, is no news. */
  began(id: PaneId, shell: ShellState): void {
    this.watch(id).began(shell);
    this.tellShell(id, shell);
  }

  output(id: PaneId, shell: ShellState): void {
    this.watch(id).output(shell, performance.now());
    this.tellShell(id, shell);
  }

  bell(id: PaneId): void {
    if (!this.isMuted(id)) this.options.onBell();
    this.raise(id, "bell");
  }

  ended(id: PaneId, code: number | null): void {
    this.raise(id, "exit", code ?? undefined);
  }

  close(): void {
    for (const watch of this.watches.values()) watch.stop();
    this.watches.clear();
  }

  isMuted(id: PaneId): boolean {
    return this.state?.muted.includes(paneTarget(id).machine) ?? false;
  }

  private watch(id: PaneId): PaneWatch {
    const known = this.watches.get(id);
    if (known) return known;
    const onAlert = (kind: AlertKind, exitCode?: number): void => this.raise(id, kind, exitCode);
    const watch = new PaneWatch({ silenceMs: this.options.silenceMs, onAlert });
    this.watches.set(id, watch);
    return watch;
  }

  private tellShell(id: PaneId, { at }: ShellState): void {
    if (!this.state || this.state.shells[id] === at) return;
    this.options.dispatch({ type: "shell-changed", id, at });
  }

  private raise(id: PaneId, kind: AlertKind, exitCode?: number): void {
    const { state } = this;
    if (!state || id === state.selected || this.isMuted(id)) return;
    // Who sees a pane sees that something goes on in it.
    if (kind === "activity" && (this.visible.has(id) || state.alerts[id])) return;
    this.options.dispatch({ type: "alerted", id, alert: { kind, at: Date.now(), exitCode } });
  }
}

import type { PaneId } from "./layout/pane-id.ts";
import type { SessionPane } from "./panes/session-pane.ts";
import type { Action, UiState } from "./state.ts";

export interface WhenLiveContext {
  readonly state: UiState;
  dispatch(action: Action): void;
  pane(id: PaneId): SessionPane | undefined;
}

/** What is to be done with sessions that are still being opened. */
export class WhenLive {
  private readonly context: WhenLiveContext;
  private toAttach: PaneId | undefined;
  private readonly toType = new Map<PaneId, string>();

  constructor(context: WhenLiveContext) {
    this.context = context;
  }

  /** Attach; whoever wanted another one before does not want it any more. */
  attach(id: PaneId): void {
    this.toAttach = id;
    this.check();
  }

  type(id: PaneId, text: string): void {
    this.toType.set(id, text);
    this.check();
  }

  /** To be called when a session may have become live. */
  check(): void {
    this.attachIfLive();
    for (const [id, text] of this.toType) {
      const pane = this.context.pane(id);
      if (!pane?.live) continue;
      this.toType.delete(id);
      pane.send(Buffer.from(text));
    }
  }

  private attachIfLive(): void {
    const { state } = this.context;
    const id = this.toAttach;
    if (id === undefined || state.panes[id]?.kind !== "live") return;
    this.toAttach = undefined;
    if (id === state.selected && !state.dialog) this.context.dispatch({ type: "attached" });
  }
}

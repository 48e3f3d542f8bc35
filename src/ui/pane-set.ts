import type { Host } from "../runtime/host/host.ts";
import { Sandboxes } from "../runtime/multiplex/index.ts";
import type { Attention } from "./attention/attention.ts";
import { type PaneId, paneTarget } from "./layout/pane-id.ts";
import type { ParseTurns } from "./panes/parse-turns.ts";
import { SessionPane } from "./panes/session-pane.ts";
import { allPanes, machineOf, visiblePanes } from "./selectors.ts";
import type { PaneStatus, UiState } from "./state.ts";
import type { OuterCapabilities } from "./terminal/outer-capabilities.ts";
import type { DesktopRequest } from "./terminal/requests.ts";

/** Panes that are not on the screen keep a usual size. */
const hiddenPane = { cols: 80, rows: 24 };

export interface PaneSetOptions {
  host: Host;
  outer: OuterCapabilities;
  /** Lines kept above a pane's screen. */
  scrollback: number;
  turns: ParseTurns;
  /** The pane the user types into or looks at first. */
  isFirst(id: PaneId): boolean;
  onStatus(id: PaneId, status: PaneStatus): void;
  onChange(id: PaneId): void;
  attention: Attention;
  onRequest(id: PaneId, request: DesktopRequest): void;
}

/** The open sessions: one for every pane of every tab, whose machine is running. */
export class PaneSet {
  /** Panes keep their own screens: the byte rings are not needed. */
  readonly sandboxes = new Sandboxes({ scrollbackBytes: 1024 });
  private readonly panes = new Map<PaneId, SessionPane>();
  private readonly options: PaneSetOptions;

  constructor(options: PaneSetOptions) {
    this.options = options;
  }

  get(id: PaneId): SessionPane | undefined {
    return this.panes.get(id);
  }

  get byId(): ReadonlyMap<PaneId, SessionPane> {
    return this.panes;
  }

  /** Opens and closes sessions as the tabs have changed. */
  sync(state: UiState): void {
    const wanted = allPanes(state);
    for (const [id, pane] of this.panes) {
      if (wanted.has(id)) continue;
      this.panes.delete(id);
      pane.close();
    }
    const sizes = paneSizes(state);
    for (const id of wanted) {
      if (this.panes.has(id) || machineOf(state, id)?.state !== "running") continue;
      this.open(id, sizes.get(id) ?? hiddenPane);
    }
  }

  /** Gives every pane on the screen the size of its place. */
  syncSizes(state: UiState): void {
    for (const [id, { cols, rows }] of paneSizes(state)) this.panes.get(id)?.resize(cols, rows);
  }

  close(): void {
    for (const pane of this.panes.values()) pane.close();
    this.panes.clear();
  }

  private open(id: PaneId, size: { cols: number; rows: number }): void {
    const { attention } = this.options;
    const pane = new SessionPane({
      id,
      ...paneTarget(id),
      host: this.options.host,
      outer: this.options.outer,
      scrollback: this.options.scrollback,
      turns: this.options.turns,
      first: () => this.options.isFirst(id),
      sandboxes: this.sandboxes,
      ...size,
      onBegan: (shell) => attention.began(id, shell),
      onOutput: () => attention.output(id, pane.terminal.shell),
      onBell: () => attention.bell(id),
      onRequest: (request) => this.options.onRequest(id, request),
      onStatus: (status) => {
        if (this.panes.get(id) !== pane) return;
        this.options.onStatus(id, status);
        if (status.kind === "ended") attention.ended(id, status.code);
      },
      onChange: () => this.options.onChange(id),
    });
    this.panes.set(id, pane);
    void pane.connect();
  }
}

/** A pane of which only the title is shown keeps the size it had. */
function paneSizes(state: UiState): Map<PaneId, { cols: number; rows: number }> {
  return new Map(
    visiblePanes(state)
      .filter(({ inside }) => inside.height > 0)
      .map(({ id, inside }) => [id, { cols: inside.width, rows: inside.height }]),
  );
}

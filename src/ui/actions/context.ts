import type { Host } from "../../runtime/host/host.ts";
import type { DesktopRequests } from "../attention/desktop-requests.ts";
import type { Settings } from "../config/settings.ts";
import type { CopyController } from "../copy-mode/controller.ts";
import type { HostTasks } from "../host-tasks.ts";
import type { PaneId } from "../layout/pane-id.ts";
import type { SessionPane } from "../panes/session-pane.ts";
import type { Action, UiState } from "../state.ts";

/** What commands may touch of the application. */
export interface ActionContext {
  readonly host: Host;
  readonly tasks: HostTasks;
  readonly state: UiState;
  readonly copy: CopyController;
  readonly requests: DesktopRequests;
  readonly settings: Settings;
  dispatch(action: Action): void;
  pane(id: PaneId): SessionPane | undefined;
  /** The host's list has changed by our doing. */
  refresh(): void;
  /** Attach as soon as the pane's session is live. */
  attachWhenLive(id: PaneId): void;
  /** Type this as soon as the pane's session is live. */
  typeWhenLive(id: PaneId, text: string): void;
  redraw(): void;
  suspend(): void;
  quit(): void;
}

/**
 * Carries a command out: at once, or until the promise it returns resolves. When that is to a text,
 * the text says what came of it; most commands only change what the screen shows.
 * @throws {CommandError | TaskError} what cannot be done, or failed
 */
export type Handler = (argument: string, origin: Origin) => unknown;

/** Who asks: the user at the screen, or a program outside, which can be asked nothing back. */
export type Origin = "screen" | "outside";

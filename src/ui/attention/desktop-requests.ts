import type { Settings } from "../config/settings.ts";
import type { HostTasks } from "../host-tasks.ts";
import type { PaneId } from "../layout/pane-id.ts";
import type { DesktopRequest } from "../terminal/requests.ts";

/** A clipboard text nobody has allowed by then is forgotten. */
const pendingMs = 30_000;

export interface DesktopRequestsOptions {
  clipboard: Settings["programs.clipboard"];
  notifications: boolean;
  tasks: HostTasks;
  /** The key that allows what a program asks for. */
  allowKey(): string;
  /** How the user calls a pane. */
  nameOf(id: PaneId): string;
  isMuted(id: PaneId): boolean;
  setClipboard(text: string): boolean;
  notify(title: string, body: string): void;
  /** It was not shown: the pane at least wants attention. */
  onUnshown(id: PaneId): void;
}

/** Decides what programs in panes may do to the user's desktop. */
export class DesktopRequests {
  private readonly options: DesktopRequestsOptions;
  private pending: { id: PaneId; text: string; at: number } | undefined;

  constructor(options: DesktopRequestsOptions) {
    this.options = options;
  }

  handle(id: PaneId, request: DesktopRequest): void {
    if (request.kind === "clipboard") this.clipboard(id, request.text);
    else this.notification(id, request.title, request.body);
  }

  /** The user agrees to what was asked last. */
  allowClipboard(): void {
    const { tasks, nameOf } = this.options;
    const { pending } = this;
    this.pending = undefined;
    if (!pending || Date.now() - pending.at > pendingMs)
      tasks.inform("no program asks for the clipboard");
    else
      this.copy(
        pending.text,
        `copied ${pending.text.length} characters from ${nameOf(pending.id)}`,
      );
  }

  private clipboard(id: PaneId, text: string): void {
    const { clipboard, tasks, nameOf, allowKey } = this.options;
    if (clipboard === "deny") return;
    if (clipboard === "allow") {
      this.copy(text);
      return;
    }
    // What is asked first stays: it must not become something else while the user decides.
    if (this.pending && Date.now() - this.pending.at < pendingMs) return;
    this.pending = { id, text, at: Date.now() };
    tasks.inform(
      `${nameOf(id)} wants to put ${text.length} characters on the clipboard: ${allowKey()} allows it`,
    );
  }

  private copy(text: string, done?: string): void {
    const { tasks, setClipboard } = this.options;
    if (!setClipboard(text)) tasks.inform("that is too long for the clipboard");
    else if (done) tasks.inform(done);
  }

  private notification(id: PaneId, title: string, body: string): void {
    const { notifications, isMuted, nameOf, notify, onUnshown } = this.options;
    if (isMuted(id)) return;
    if (notifications) notify(`${nameOf(id)}${title ? `: ${title}` : ""}`, body);
    else onUnshown(id);
  }
}

import { Attachment } from "../runtime/multiplex/index.ts";
import type { PaneId } from "./layout/pane-id.ts";
import type { PaneSet } from "./pane-set.ts";
import type { UiState } from "./state.ts";

export interface KeyboardAttachmentOptions {
  panes: PaneSet;
  stdin: NodeJS.ReadableStream;
  /** Panes that get what the attached one gets. */
  alsoTo(): readonly PaneId[];
  /** The byte that detaches when it is typed twice. */
  detachKey: number;
  /** The session has ended under the user's hands. */
  onLost(): void;
}

/** Joins the user's keys with the session of the attached pane, as `machinen attach` does. */
export class KeyboardAttachment {
  private readonly options: KeyboardAttachmentOptions;
  private attachment: Attachment | undefined;

  constructor(options: KeyboardAttachmentOptions) {
    this.options = options;
  }

  /** Programs that asked for it learn that they have, or have lost, the keyboard. */
  sync(before: UiState, state: UiState): void {
    const was = before.attached ? before.selected : undefined;
    const is = state.attached ? state.selected : undefined;
    if (was === is) return;
    this.attachment?.end();
    this.attachment = is === undefined ? undefined : this.attachTo(is);
    this.tellFocus(was, false);
    this.tellFocus(is, true);
    const { panes, onLost } = this.options;
    if (was !== undefined && is === undefined && panes.get(was)?.live !== true) onLost();
  }

  /** Typed bytes for the session; when they ended the attachment, what came after. */
  feed(bytes: Buffer): Buffer | undefined {
    return this.attachment?.feed(bytes);
  }

  end(): void {
    this.attachment?.end();
  }

  /** Keys only: the screen, its size and the terminal's modes are ours. */
  private attachTo(id: PaneId): Attachment {
    const { panes, stdin, detachKey, alsoTo } = this.options;
    return new Attachment({
      sandboxes: panes.sandboxes,
      id,
      input: stdin,
      rawTty: false,
      forwardResize: false,
      detachKey,
      onSent: (bytes) => {
        for (const other of alsoTo()) panes.get(other)?.send(bytes);
      },
    });
  }

  private tellFocus(id: PaneId | undefined, focused: boolean): void {
    const pane = id === undefined ? undefined : this.options.panes.get(id);
    const bytes = pane?.live ? pane.terminal.encodeFocus(focused) : null;
    if (pane && bytes) pane.send(bytes);
  }
}

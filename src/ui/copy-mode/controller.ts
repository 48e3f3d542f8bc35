import { describeError } from "../errors.ts";
import type { HostTasks } from "../host-tasks.ts";
import type { KeyEvent } from "../input/events.ts";
import type { PaneId } from "../layout/pane-id.ts";
import { paneName } from "../names.ts";
import type { SessionPane } from "../panes/session-pane.ts";
import type { Action, UiState } from "../state.ts";
import type { CopyCommand } from "./commands.ts";
import { CopyMode } from "./copy-mode.ts";
import { editLine } from "./line-editor.ts";
import { defaultFile, saveText } from "./save-text.ts";
import { SearchHistory } from "./search-history.ts";

export interface CopyContext {
  readonly state: UiState;
  readonly tasks: HostTasks;
  dispatch(action: Action): void;
  pane(id: PaneId): SessionPane | undefined;
  /** Hands a text to the user's terminal (OSC 52); false when it is too long for that. */
  setClipboard(text: string): boolean;
}

const HISTORY_KEYS: Record<string, -1 | 1 | undefined> = {
  up: -1,
  "ctrl-p": -1,
  down: 1,
  "ctrl-n": 1,
};

/** Opens and closes copy mode on panes, and carries copied text where it is wanted. */
export class CopyController {
  private readonly context: CopyContext;
  /** What was copied last, for pasting into any pane. */
  private copied = "";
  private readonly searches = new SearchHistory();

  constructor(context: CopyContext) {
    this.context = context;
  }

  /** Copy mode of a pane, opened when it is not. */
  enter(id: PaneId): CopyMode | undefined {
    const pane = this.context.pane(id);
    if (!pane) return undefined;
    if (!pane.copyMode) {
      const { terminal, scrollOffset } = pane;
      const { x, y } = terminal.cursor;
      const cursor = { row: terminal.historyLines + y, x };
      pane.copyMode = new CopyMode(terminal.snapshot(), cursor, scrollOffset);
      this.changed(id, pane);
    }
    return pane.copyMode;
  }

  leave(id: PaneId): void {
    const pane = this.context.pane(id);
    pane?.copyMode?.snapshot.dispose();
    if (pane) {
      pane.copyMode = undefined;
      pane.scrollTo(0);
    }
    this.changed(id, pane);
  }

  /** A command of copy mode, on the selected pane. */
  run(command: CopyCommand): void {
    const { selected } = this.context.state;
    const pane = selected === undefined ? undefined : this.context.pane(selected);
    if (selected === undefined || !pane) return;
    const mode = pane.copyMode;
    if (!mode || command === "copy-leave") this.leave(selected);
    else if (command === "copy-clear") {
      if (!mode.clearSelection()) this.leave(selected);
    } else if (command === "copy-accept") this.accept(selected);
    else if (command === "copy-save")
      mode.ask("save", defaultFile(paneName(this.context.state, selected)));
    else {
      mode.run(command);
      if (mode.prompt) this.searches.begin();
    }
    this.changed(selected, pane);
  }

  /** A key typed at the prompt of the selected pane. */
  promptKey(event: KeyEvent): void {
    const { selected } = this.context.state;
    const pane = selected === undefined ? undefined : this.context.pane(selected);
    const mode = pane?.copyMode;
    if (selected === undefined || !mode?.prompt) return;
    const { kind, text } = mode.prompt;
    const step = kind === "save" ? undefined : HISTORY_KEYS[event.key];
    const edited = step ? (this.searches.step(step, text) ?? text) : editLine(text, event.key);
    if (typeof edited === "string") mode.typed(edited);
    else {
      mode.closePrompt(edited.accepted);
      if (edited.accepted && kind !== "save") this.searches.add(text);
      if (edited.accepted && kind === "save" && text !== "") void this.save(selected, mode, text);
    }
    this.changed(selected, pane);
  }

  /** Copies what is selected and leaves. */
  accept(id: PaneId): void {
    const { tasks } = this.context;
    const text = this.context.pane(id)?.copyMode?.selected?.text() ?? "";
    this.leave(id);
    if (text === "") return;
    this.copied = text;
    if (this.context.setClipboard(text)) tasks.inform(`copied ${describeLength(text)}`);
    else
      tasks.inform(`copied ${describeLength(text)}: too long for the clipboard, only ] pastes it`);
  }

  /** Types what was copied last into the selected pane. */
  paste(): void {
    const { selected } = this.context.state;
    const pane = selected === undefined ? undefined : this.context.pane(selected);
    if (this.copied === "") this.context.tasks.inform("nothing has been copied yet");
    else pane?.send(pane.terminal.encodePaste(this.copied));
  }

  changed(id: PaneId, pane = this.context.pane(id)): void {
    const mode = pane?.copyMode;
    const next = mode && { prompt: mode.prompt !== undefined };
    this.context.dispatch({ type: "copying-changed", id, copying: next });
    pane?.changed();
  }

  private async save(id: PaneId, mode: CopyMode, file: string): Promise<void> {
    const { tasks } = this.context;
    const text = mode.selected?.text() ?? mode.allText();
    try {
      const path = await saveText(file, text);
      tasks.inform(`wrote ${describeLength(text)} to ${path}`);
      if (this.context.pane(id)?.copyMode === mode) this.leave(id);
    } catch (error) {
      tasks.fail(describeError(error));
    }
  }
}

function describeLength(text: string): string {
  const count = [...text].length;
  return count === 1 ? "1 character" : `${count} characters`;
}

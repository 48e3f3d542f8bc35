import { StringDecoder } from "node:string_decoder";
import { printable } from "../runtime/printable.ts";
import type { CommandId } from "./commands.ts";
import type { CopyController } from "./copy-mode/controller.ts";
import { dialogText, isTextDialog } from "./dialogs/text-dialogs.ts";
import { guestKey } from "./input/attached-keys.ts";
import type {
  InputEvent,
  KeyEvent,
  PasteEvent,
  ReportEvent,
  UnknownEvent,
} from "./input/events.ts";
import { InputParser } from "./input/parser.ts";
import { bindingFor, canRun, specOf, typingModes } from "./keymap.ts";
import type { PaneId } from "./layout/pane-id.ts";
import type { SessionPane } from "./panes/session-pane.ts";
import { Pointer } from "./pointer.ts";
import { keyMode, present, synchronizedPanes } from "./selectors.ts";
import type { Action, UiState } from "./state.ts";

export interface RouterContext {
  readonly state: UiState;
  readonly copy: CopyController;
  dispatch(action: Action): void;
  pane(id: PaneId): SessionPane | undefined;
  run(command: CommandId, argument?: string): void;
  /** Typed bytes for the attached session; when they ended the attachment, what came after. */
  feedAttached(bytes: Buffer): Buffer | undefined;
  /** The user did something the guest will answer. */
  expectEcho(): void;
  /** The user's terminal has answered a question. */
  report(event: ReportEvent): void;
}

/** A longer paste reaches the guest in several pieces. */
const pasteLimit = 1_048_576;
/** After a session has ended under the user's hands his next keys are still meant for it. */
const deafMs = 400;

/** Sends what the user does to where it belongs: a command, a dialog, or the guest. */
export class Router {
  private readonly context: RouterContext;
  private readonly pointer: Pointer;
  private readonly typed: Buffer[] = [];
  private paste = "";
  private decoder = new StringDecoder("utf8");
  private deafUntil = 0;

  constructor(context: RouterContext) {
    this.context = context;
    this.pointer = new Pointer(context);
  }

  handle(events: readonly InputEvent[]): void {
    for (const event of events) {
      const attached = keyMode(this.context.state) === "attached";
      if (attached && (event.type === "key" || event.type === "unknown")) {
        this.type(event);
        continue;
      }
      this.sendTyped();
      if (event.type === "key") this.key(event);
      else if (event.type === "mouse") this.pointer.handle(event);
      else if (event.type === "paste") this.pasted(event);
      else if (event.type === "focus") this.focus(event.focused);
      else if (event.type === "report") this.context.report(event);
    }
    this.sendTyped();
  }

  /** The attachment has ended without the user's doing. */
  attachmentLost(): void {
    this.deafUntil = performance.now() + deafMs;
    this.pointer.release();
  }

  /** What was typed in one go reaches the guest in one piece. */
  private sendTyped(): void {
    if (this.typed.length === 0) return;
    const bytes = Buffer.concat(this.typed.splice(0));
    this.context.expectEcho();
    const rest = this.context.feedAttached(bytes);
    if (rest && rest.length > 0) this.handle(new InputParser().feed(rest));
  }

  private type(event: KeyEvent | UnknownEvent): void {
    const pane = this.selectedPane();
    const { bytes, besides } = guestKey(event, pane?.terminal, this.detachKey());
    if (besides) pane?.send(bytes);
    else this.typed.push(bytes);
  }

  private detachKey(): string {
    const row = this.context.state.keymap.find(({ command }) => command === "detach");
    return row?.keys[0]?.split(" ")[0] ?? "";
  }

  private key(event: KeyEvent): void {
    const { context } = this;
    const mode = keyMode(context.state);
    if (performance.now() < this.deafUntil || event.action === "release" || event.modifier) return;
    context.dispatch({ type: "notice-cleared" });
    if (mode === "copy-prompt") {
      context.copy.promptKey(event);
      return;
    }
    const binding = bindingFor(context.state.keymap, mode, event.key);
    if (!binding && typingModes.has(mode)) this.insert(typedText(event.key));
    if (!binding || !canRun(specOf(binding), present(context.state))) return;
    context.run(binding.command, binding.argument);
  }

  /** Into the line of the dialog that is open. */
  private insert(text: string): void {
    const { dialog } = this.context.state;
    if (text === "" || !dialog || !isTextDialog(dialog)) return;
    this.context.dispatch({ type: "dialog-edited", text: dialogText(dialog) + text });
  }

  private pasted(event: PasteEvent): void {
    const mode = keyMode(this.context.state);
    if (mode !== "attached" && !typingModes.has(mode)) return;
    if (event.part === "start") {
      this.paste = "";
      this.decoder = new StringDecoder("utf8");
    } else if (event.part === "data") {
      this.paste += this.decoder.write(event.raw);
      if (this.paste.length >= pasteLimit) this.deliverPaste();
    } else {
      this.paste += this.decoder.end();
      this.deliverPaste();
    }
  }

  private deliverPaste(): void {
    if (typingModes.has(keyMode(this.context.state))) {
      this.insert(printable(this.paste.trim().replace(/\s+/g, " ")));
      this.paste = "";
      return;
    }
    const pane = this.selectedPane();
    if (pane && this.paste) {
      this.context.expectEcho();
      for (const id of synchronizedPanes(this.context.state)) {
        const other = this.context.pane(id);
        other?.send(other.terminal.encodePaste(this.paste));
      }
      pane.send(pane.terminal.encodePaste(this.paste));
    }
    this.paste = "";
  }

  private focus(focused: boolean): void {
    const pane = this.context.state.attached ? this.selectedPane() : undefined;
    const bytes = pane?.terminal.encodeFocus(focused);
    if (pane && bytes) pane.send(bytes);
  }

  private selectedPane(): SessionPane | undefined {
    const { selected } = this.context.state;
    return selected === undefined ? undefined : this.context.pane(selected);
  }
}

/** What a key types, nothing for one that is no character. */
function typedText(key: string): string {
  if (key === "space") return " ";
  return /^[^\p{C}]\p{M}*$/u.test(key) ? key : "";
}

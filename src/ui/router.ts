import { StringDecoder } from "node:string_decoder";
import type { CommandId } from "./commands.ts";
import { visiblePanes } from "./compositor.ts";
import { guestKey } from "./input/attached-keys.ts";
import type {
  InputEvent,
  KeyEvent,
  MouseInput,
  PasteEvent,
  ReportEvent,
  UnknownEvent,
} from "./input/events.ts";
import { InputParser } from "./input/parser.ts";
import { bindingFor } from "./keymap.ts";
import { contains, layoutScreen, type PlacedPane, paneInside } from "./layout.ts";
import { wheelAsArrows } from "./panes/key-encoding.ts";
import type { SessionPane } from "./panes/session-pane.ts";
import { type Action, keyMode, present, type UiState } from "./state.ts";
import { sidebarTop, sidebarView } from "./view.ts";

export interface RouterContext {
  readonly state: UiState;
  dispatch(action: Action): void;
  pane(id: string): SessionPane | undefined;
  run(command: CommandId): void;
  /** Typed bytes for the attached session; when they ended the attachment, what came after. */
  feedAttached(bytes: Buffer): Buffer | undefined;
  /** The user did something the guest will answer. */
  expectEcho(): void;
  /** The user's terminal has answered a question. */
  report(event: ReportEvent): void;
}

const wheelLines = 3;
/** A longer paste reaches the guest in several pieces. */
const pasteLimit = 1_048_576;
/** After a session has ended under the user's hands his next keys are still meant for it. */
const deafMs = 400;

/** Sends what the user does to where it belongs: a command, a dialog, or the guest. */
export class Router {
  private readonly context: RouterContext;
  private readonly typed: Buffer[] = [];
  private paste = "";
  private decoder = new StringDecoder("utf8");
  private grabbed: string | undefined;
  private deafUntil = 0;

  constructor(context: RouterContext) {
    this.context = context;
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
      else if (event.type === "mouse") this.mouse(event);
      else if (event.type === "paste") this.pasted(event);
      else if (event.type === "focus") this.focus(event.focused);
      else if (event.type === "report") this.context.report(event);
    }
    this.sendTyped();
  }

  /** The attachment has ended without the user's doing. */
  attachmentLost(): void {
    this.deafUntil = performance.now() + deafMs;
    this.grabbed = undefined;
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
    const { bytes, besides } = guestKey(event, pane?.terminal);
    if (besides) pane?.send(bytes);
    else this.typed.push(bytes);
  }

  private key(event: KeyEvent): void {
    const { context } = this;
    const mode = keyMode(context.state);
    if (performance.now() < this.deafUntil || event.action === "release" || event.modifier) return;
    context.dispatch({ type: "notice-cleared" });
    const binding = bindingFor(mode, event.key);
    if (!binding) return;
    if (binding.needs && !present(context.state).has(binding.needs)) return;
    context.run(binding.command);
  }

  private pasted(event: PasteEvent): void {
    if (keyMode(this.context.state) !== "attached") return;
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
    const pane = this.selectedPane();
    if (pane && this.paste) {
      this.context.expectEcho();
      pane.send(pane.terminal.encodePaste(this.paste));
    }
    this.paste = "";
  }

  private focus(focused: boolean): void {
    const pane = this.context.state.attached ? this.selectedPane() : undefined;
    const bytes = pane?.terminal.encodeFocus(focused);
    if (pane && bytes) pane.send(bytes);
  }

  private mouse(event: MouseInput): void {
    const { context } = this;
    const mode = keyMode(context.state);
    if (mode === "too-small") return;
    if (mode !== "navigate" && mode !== "attached") {
      if (event.button === "wheel-up") context.run("dialog-up");
      if (event.button === "wheel-down") context.run("dialog-down");
      return;
    }
    const placed = visiblePanes(context.state).find(({ rect }) => contains(rect, event.x, event.y));
    if (this.grabbed !== undefined && event.action !== "press") this.drag(event);
    else if (!placed) this.sidebarClick(event);
    else if (event.button.startsWith("wheel")) this.wheel(placed, event);
    else this.pointer(placed, event);
  }

  /** Inside the attached pane the mouse is the guest's; elsewhere a click is ours. */
  private pointer(placed: PlacedPane, event: MouseInput): void {
    const { state } = this.context;
    const own = state.attached && placed.id === state.selected;
    if (own && contains(paneInside(placed.rect, state.zoomed), event.x, event.y)) {
      if (this.toGuest(placed, event) && event.action === "press") this.grabbed = placed.id;
    } else if (event.action === "press" && event.button === "left") {
      this.click(placed, event);
    }
  }

  /** A button that went down in a guest belongs to it until it is up, wherever the pointer goes. */
  private drag(event: MouseInput): void {
    const placed = visiblePanes(this.context.state).find(({ id }) => id === this.grabbed);
    if (event.action === "release") this.grabbed = undefined;
    if (placed) this.toGuest(placed, event);
  }

  private click(placed: PlacedPane, event: MouseInput): void {
    const { context } = this;
    context.dispatch({ type: "notice-cleared" });
    if (placed.id !== context.state.selected) context.dispatch({ type: "selected", id: placed.id });
    else if (event.y === placed.rect.y) context.run("zoom");
    else if (!context.state.attached) context.run("attach");
  }

  private wheel(placed: PlacedPane, event: MouseInput): void {
    const pane = this.context.pane(placed.id);
    if (!pane || this.toGuest(placed, event)) return;
    const up = event.button === "wheel-up";
    if (!up && event.button !== "wheel-down") return;
    const { alternateScreen, applicationCursorKeys } = pane.terminal.modes;
    if (!alternateScreen) pane.scrollBy(up ? wheelLines : -wheelLines);
    else if (this.context.state.attached && placed.id === this.context.state.selected) {
      pane.send(wheelAsArrows(up, wheelLines, applicationCursorKeys));
    }
  }

  /** False when the program did not ask for this mouse event. */
  private toGuest(placed: PlacedPane, event: MouseInput): boolean {
    const pane = this.context.pane(placed.id);
    if (!pane?.live) return false;
    const inside = paneInside(placed.rect, this.context.state.zoomed);
    const x = Math.max(0, Math.min(inside.width - 1, event.x - inside.x));
    const y = Math.max(0, Math.min(inside.height - 1, event.y - inside.y));
    const bytes = pane.terminal.encodeMouse({ ...event, x, y });
    if (!bytes) return false;
    this.context.expectEcho();
    pane.send(bytes);
    return true;
  }

  private sidebarClick(event: MouseInput): void {
    const { state } = this.context;
    const { sidebar } = layoutScreen(state.cols, state.rows, state.zoomed);
    if (!sidebar || event.action !== "press" || !contains(sidebar, event.x, event.y)) return;
    const view = sidebarView(state, sidebar.width, sidebar.height);
    const id = view.rows[event.y - sidebar.y - sidebarTop]?.id;
    if (id !== undefined) this.context.dispatch({ type: "selected", id });
  }

  private selectedPane(): SessionPane | undefined {
    const { selected } = this.context.state;
    return selected === undefined ? undefined : this.context.pane(selected);
  }
}

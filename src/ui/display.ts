import { Compositor, type CompositorOptions } from "./compositor.ts";
import type { HostTerminal } from "./host-terminal.ts";
import type { PaneId } from "./layout/pane-id.ts";
import { FrameLoop } from "./loop.ts";
import { OnceTimer } from "./once-timer.ts";
import type { SessionPane } from "./panes/session-pane.ts";
import { keyMode } from "./selectors.ts";
import type { UiState } from "./state.ts";
import type { OuterCapabilities } from "./terminal/outer-capabilities.ts";

export interface DisplayOptions extends Omit<CompositorOptions, "onPostponed"> {
  /** What there is to draw. */
  now(): { state: UiState; panes: ReadonlyMap<PaneId, SessionPane> };
  outer: OuterCapabilities;
}

/** The user's terminal as far as it is drawn on: what stands there, and when it is drawn anew. */
export class Display {
  private readonly options: DisplayOptions;
  private readonly compositor: Compositor;
  private readonly loop = new FrameLoop(() => this.terminal?.requestFrame());
  private readonly chromeTimer = new OnceTimer(() => this.loop.soon());
  private terminal: HostTerminal | undefined;

  constructor(options: DisplayOptions) {
    this.options = options;
    this.compositor = new Compositor({
      ...options,
      onPostponed: (ms) => this.chromeTimer.start(ms),
    });
  }

  /** A frame is drawn before anything else is done. */
  get urgent(): boolean {
    return this.loop.urgent;
  }

  /** A program is about to answer a key. */
  get awaiting(): boolean {
    return this.loop.awaiting;
  }

  start(terminal: HostTerminal): void {
    this.terminal = terminal;
    this.loop.start();
  }

  stop(): void {
    this.loop.stop();
    this.chromeTimer.stop();
  }

  close(): void {
    this.stop();
    this.compositor.close();
  }

  /** The next frame; the terminal's modes become those that the attached program asks for. */
  paint(): Uint8Array {
    const { state, panes } = this.options.now();
    const attached =
      state.attached && state.selected !== undefined ? panes.get(state.selected) : undefined;
    this.terminal?.setAnyMotion(attached?.terminal.modes.mouse === "any");
    const typing = keyMode(state) === "attached";
    const kitty = typing && attached !== undefined && this.options.outer.kittyKeyboard;
    this.terminal?.setKeyboard(kitty ? attached.terminal.keyboardFlags : 0);
    return this.compositor.paint(state, panes);
  }

  /** The state has changed. */
  soon(): void {
    this.loop.soon();
  }

  /** A pane has changed. The answer to a key is drawn at once, whatever else is being drawn. */
  paneChanged(id: PaneId): void {
    if (id === this.options.now().state.selected) this.loop.answered();
    else this.loop.soon();
  }

  /** The user did something that a program will answer. */
  expectAnswer(): void {
    this.loop.expectAnswer();
  }

  /** What the terminal shows is not known any more. */
  invalidate(): void {
    this.compositor.invalidate();
  }

  redraw(): void {
    this.invalidate();
    this.loop.now();
  }

  ring(): void {
    this.terminal?.ring();
  }

  notify(title: string, body: string): void {
    this.terminal?.notify(title, body);
  }

  /** False when it is too long for that. */
  setClipboard(text: string): boolean {
    return this.terminal?.setClipboard(text) ?? false;
  }
}

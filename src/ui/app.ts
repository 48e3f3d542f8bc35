import type { Host, MachineInfo } from "../runtime/host/host.ts";
import { Attachment, Sandboxes } from "../runtime/multiplex/index.ts";
import { Actions } from "./actions.ts";
import type { CommandId } from "./commands.ts";
import { Compositor, visiblePanes } from "./compositor.ts";
import { describeError } from "./errors.ts";
import { ForkAhead } from "./fork-ahead.ts";
import { formatAge, formatBytes } from "./format.ts";
import { HostTasks } from "./host-tasks.ts";
import type { HostTerminal } from "./host-terminal.ts";
import type { ReportEvent } from "./input/events.ts";
import { InputParser } from "./input/parser.ts";
import { paneInside } from "./layout.ts";
import { FrameLoop } from "./loop.ts";
import { MachineWatch } from "./machine-watch.ts";
import { machineName } from "./names.ts";
import { SessionPane } from "./panes/session-pane.ts";
import { Router } from "./router.ts";
import type { ColourDepth } from "./screen/painter.ts";
import {
  type Action,
  initialState,
  machinesOf,
  reduce,
  selectedMachine,
  type UiState,
} from "./state.ts";
import { OuterCapabilities } from "./terminal/outer-capabilities.ts";
import { isAnimated } from "./view.ts";

export interface AppOptions {
  host: Host;
  stdin: NodeJS.ReadableStream;
  cols: number;
  rows: number;
  depth: ColourDepth;
  ascii: boolean;
  bootWhenEmpty: number;
  onQuit(): void;
  onSuspend(): void;
}

/** A lone ESC is a key when nothing follows it for this long. */
const escapeMs = 20;
const animationMs = 100;
const noticeMs = 8000;
/** Panes that are not on the screen keep a usual size. */
const hiddenPane = { cols: 80, rows: 24 };

/** The running TUI: state, panes and what keeps them up to date. */
export class App {
  readonly tasks = new HostTasks((action) => this.dispatch(action));
  readonly host: Host;
  state: UiState;
  private readonly options: AppOptions;
  private readonly panes = new Map<string, SessionPane>();
  /** Panes keep their own screens: the byte rings are not needed. */
  private readonly sandboxes = new Sandboxes({ scrollbackBytes: 1024 });
  private readonly compositor: Compositor;
  private readonly loop: FrameLoop;
  private readonly parser = new InputParser();
  private readonly capabilities = new OuterCapabilities();
  private readonly router: Router;
  private readonly actions: Actions;
  private readonly watch: MachineWatch;
  private readonly forkAhead: ForkAhead;
  private attachment: Attachment | undefined;
  private terminal: HostTerminal | undefined;
  private attachWanted: string | undefined;
  private echoExpected = false;
  private firstList = true;
  private lastList = "";
  private escapeTimer: NodeJS.Timeout | undefined;
  private animationTimer: NodeJS.Timeout | undefined;
  private noticeTimer: NodeJS.Timeout | undefined;
  private chromeTimer: NodeJS.Timeout | undefined;

  constructor(options: AppOptions) {
    this.options = options;
    this.host = options.host;
    this.state = initialState(options.cols, options.rows, Date.now());
    this.loop = new FrameLoop(() => this.terminal?.requestFrame());
    this.compositor = new Compositor({
      depth: options.depth,
      ascii: options.ascii,
      onPostponed: (ms) => this.drawChromeLater(ms),
    });
    this.actions = new Actions(this);
    this.router = new Router(this);
    this.forkAhead = new ForkAhead(options.host);
    this.watch = new MachineWatch({
      host: options.host,
      onList: (machines) => this.listed(machines),
      onError: (error) => this.tasks.fail(`looking for machines: ${describeError(error)}`),
    });
  }

  /** Begins to draw on a terminal that is ours. */
  start(terminal: HostTerminal): void {
    this.terminal = terminal;
    this.loop.start();
    this.watch.start();
    this.redraw();
  }

  /** Stops drawing and polling; sessions stay open. */
  pause(): void {
    this.loop.stop();
    this.watch.stop();
    this.forkAhead.stop();
    for (const timer of [
      this.escapeTimer,
      this.animationTimer,
      this.noticeTimer,
      this.chromeTimer,
    ]) {
      clearTimeout(timer);
    }
    this.animationTimer = undefined;
    this.chromeTimer = undefined;
  }

  /** Nobody waits for what is under way: it is undone. */
  abandonWork(): void {
    this.actions.abandon();
  }

  /** Detaches from everything; the machines go on. */
  close(): void {
    this.pause();
    this.attachment?.end();
    for (const pane of this.panes.values()) pane.close();
    this.panes.clear();
    this.compositor.close();
  }

  paint(): Uint8Array {
    this.echoExpected = false;
    const attached = this.state.attached ? this.selectedPane() : undefined;
    this.terminal?.setAnyMotion(attached?.terminal.modes.mouse === "any");
    const kitty = attached !== undefined && this.capabilities.kittyKeyboard;
    this.terminal?.setKeyboard(kitty ? attached.terminal.keyboardFlags : 0);
    return this.compositor.paint(this.state, this.panes);
  }

  input(bytes: Buffer): void {
    clearTimeout(this.escapeTimer);
    this.router.handle(this.parser.feed(bytes));
    if (!this.parser.pending) return;
    this.escapeTimer = setTimeout(() => this.router.handle(this.parser.flush()), escapeMs);
  }

  resize(cols: number, rows: number): void {
    this.compositor.invalidate();
    this.dispatch({ type: "resized", cols, rows });
  }

  redraw(): void {
    this.compositor.invalidate();
    this.loop.now();
  }

  suspend(): void {
    this.options.onSuspend();
  }

  quit(): void {
    this.options.onQuit();
  }

  refresh(): void {
    this.watch.refresh();
  }

  run(command: CommandId): void {
    this.actions.run(command);
  }

  pane(id: string): SessionPane | undefined {
    return this.panes.get(id);
  }

  attachWhenLive(id: string): void {
    this.attachWanted = id;
    this.attachIfLive();
  }

  expectEcho(): void {
    this.echoExpected = true;
  }

  report(event: ReportEvent): void {
    this.capabilities.note(event);
  }

  feedAttached(bytes: Buffer): Buffer | undefined {
    this.selectedPane()?.scrollTo(0);
    const rest = this.attachment?.feed(bytes);
    if (rest) this.dispatch({ type: "detached" });
    return rest;
  }

  dispatch(action: Action): void {
    const before = this.state;
    this.state = reduce(before, action);
    if (this.state === before) return;
    if (before.machines !== this.state.machines) {
      if (action.type !== "listed") this.lastList = "";
      this.syncPanes();
    }
    this.syncSizes();
    this.syncAttachment(before);
    this.forkAhead.select(selectedMachine(this.state));
    if (before.notice !== this.state.notice) this.expireNotice();
    this.animate();
    this.loop.soon();
  }

  private listed(machines: MachineInfo[]): void {
    const now = Date.now();
    // Nothing is to be drawn as long as the list reads the same: that is what idle means.
    const reads = JSON.stringify(
      machines.map((machine) => [
        {
          ...machine,
          rssBytes: formatBytes(machine.rssBytes),
          privateBytes: undefined,
          sharedBytes: undefined,
        },
        formatAge(now - machine.startedAt),
      ]),
    );
    if (reads === this.lastList && machines.length === this.state.machines.length) return;
    this.lastList = reads;
    this.dispatch({ type: "listed", machines, now });
    if (!this.firstList) return;
    this.firstList = false;
    if (machines.length > 0) return;
    void this.bootFirst(this.options.bootWhenEmpty);
  }

  /** One after the other: the first boot of an image prepares what the next ones start from. */
  private async bootFirst(count: number): Promise<void> {
    for (let index = 0; index < count; index++) await this.actions.boot();
    this.dispatch({ type: "moved", to: "first" });
  }

  private syncPanes(): void {
    const machines = new Map(machinesOf(this.state).map((machine) => [machine.id, machine]));
    for (const [id, pane] of this.panes) {
      if (machines.has(id)) continue;
      pane.close();
      this.panes.delete(id);
    }
    const sizes = this.paneSizes();
    for (const { id, state } of machines.values()) {
      if (state !== "running" || this.panes.has(id)) continue;
      this.openPane(id, sizes.get(id) ?? hiddenPane);
    }
  }

  private openPane(id: string, size: { cols: number; rows: number }): void {
    const pane = new SessionPane({
      id,
      host: this.host,
      sandboxes: this.sandboxes,
      ...size,
      outer: this.capabilities,
      onStatus: (status) => {
        if (!this.panes.has(id)) return;
        const wasLost = this.state.panes[id]?.kind === "lost";
        this.dispatch({ type: "pane-changed", id, status });
        if (status.kind === "lost" && !wasLost) {
          this.tasks.fail(`session of ${this.nameOf(id)}: ${status.message}`);
        }
        this.attachIfLive();
      },
      onChange: () => this.paneChanged(id),
    });
    this.panes.set(id, pane);
    void pane.connect();
  }

  private nameOf(id: string): string {
    const machine = machinesOf(this.state).find((candidate) => candidate.id === id);
    return machine ? machineName(machine) : id;
  }

  /** The answer to a key is drawn at once, whatever else is being drawn. */
  private paneChanged(id: string): void {
    if (this.echoExpected && id === this.state.selected) this.loop.now();
    else this.loop.soon();
  }

  private paneSizes(): Map<string, { cols: number; rows: number }> {
    return new Map(
      visiblePanes(this.state).map(({ id, rect }) => {
        const inside = paneInside(rect, this.state.zoomed);
        return [id, { cols: inside.width, rows: inside.height }];
      }),
    );
  }

  private syncSizes(): void {
    for (const [id, { cols, rows }] of this.paneSizes()) this.panes.get(id)?.resize(cols, rows);
  }

  /** Programs that asked for it learn that they have, or have lost, the keyboard. */
  private syncAttachment(before: UiState): void {
    const was = before.attached ? before.selected : undefined;
    const is = this.state.attached ? this.state.selected : undefined;
    if (was === is) return;
    this.attachment?.end();
    this.attachment = is === undefined ? undefined : this.attachTo(is);
    this.tellFocus(was, false);
    this.tellFocus(is, true);
    const lost = was !== undefined && is === undefined && this.panes.get(was)?.live !== true;
    if (lost) this.router.attachmentLost();
  }

  /** Keys only: the screen, its size and the terminal's modes are ours. */
  private attachTo(id: string): Attachment {
    const { sandboxes } = this;
    const { stdin } = this.options;
    return new Attachment({ sandboxes, id, input: stdin, rawTty: false, forwardResize: false });
  }

  private tellFocus(id: string | undefined, focused: boolean): void {
    const pane = id === undefined ? undefined : this.panes.get(id);
    const bytes = pane?.live ? pane.terminal.encodeFocus(focused) : null;
    if (pane && bytes) pane.send(bytes);
  }

  private attachIfLive(): void {
    const id = this.attachWanted;
    if (id === undefined || this.state.panes[id]?.kind !== "live") return;
    this.attachWanted = undefined;
    if (id === this.state.selected && !this.state.dialog) this.dispatch({ type: "attached" });
  }

  private expireNotice(): void {
    clearTimeout(this.noticeTimer);
    if (!this.state.notice) return;
    this.noticeTimer = setTimeout(() => this.dispatch({ type: "notice-cleared" }), noticeMs);
  }

  private animate(): void {
    if (this.animationTimer || !isAnimated(this.state)) return;
    this.animationTimer = setTimeout(() => {
      this.animationTimer = undefined;
      this.dispatch({ type: "ticked", now: Date.now() });
    }, animationMs);
  }

  private drawChromeLater(ms: number): void {
    if (this.chromeTimer) return;
    this.chromeTimer = setTimeout(() => {
      this.chromeTimer = undefined;
      this.loop.soon();
    }, ms);
  }

  private selectedPane(): SessionPane | undefined {
    return this.state.selected === undefined ? undefined : this.panes.get(this.state.selected);
  }
}

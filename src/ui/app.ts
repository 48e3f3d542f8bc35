import type { Host, MachineInfo } from "../runtime/host/host.ts";
import { printable } from "../runtime/printable.ts";
import { Actions } from "./actions/actions.ts";
import type { AppOptions } from "./app-options.ts";
import { Attention } from "./attention/attention.ts";
import { DesktopRequests } from "./attention/desktop-requests.ts";
import type { CommandId } from "./commands.ts";
import { Compositor } from "./compositor.ts";
import { detachByte } from "./config/detach-byte.ts";
import type { Settings } from "./config/settings.ts";
import { CopyController } from "./copy-mode/controller.ts";
import { describeError } from "./errors.ts";
import { ForkAhead } from "./fork-ahead.ts";
import { HostTasks } from "./host-tasks.ts";
import type { HostTerminal } from "./host-terminal.ts";
import type { ReportEvent } from "./input/events.ts";
import { InputParser } from "./input/parser.ts";
import { KeyboardAttachment } from "./keyboard-attachment.ts";
import { KnownSessions } from "./known-sessions.ts";
import type { PaneId } from "./layout/pane-id.ts";
import { listReads } from "./list-lines.ts";
import { FrameLoop } from "./loop.ts";
import { MachineWatch } from "./machine-watch.ts";
import { paneName } from "./names.ts";
import { OnceTimer } from "./once-timer.ts";
import { PaneSet } from "./pane-set.ts";
import { ParseTurns } from "./panes/parse-turns.ts";
import type { SessionPane } from "./panes/session-pane.ts";
import { Router } from "./router.ts";
import { WorkspaceStore } from "./saved/store.ts";
import { keyMode, selectedMachine, synchronizedPanes } from "./selectors.ts";
import { isAnimated } from "./spinner.ts";
import { type Action, initialState, type PaneStatus, reduce, type UiState } from "./state.ts";
import { OuterCapabilities } from "./terminal/outer-capabilities.ts";

/** A lone ESC is a key when nothing follows it for this long. */
const escapeMs = 20;
const animationMs = 100;
const noticeMs = 8000;

/** The running TUI: state, panes and what keeps them up to date. */
export class App {
  readonly tasks = new HostTasks((action) => this.dispatch(action));
  readonly host: Host;
  readonly copy = new CopyController(this);
  readonly requests: DesktopRequests;
  readonly settings: Settings;
  state: UiState;
  private readonly attention: Attention;
  private readonly options: AppOptions;
  private readonly panes: PaneSet;
  private readonly keyboard: KeyboardAttachment;
  private readonly compositor: Compositor;
  private readonly loop: FrameLoop;
  private readonly parser = new InputParser();
  private readonly capabilities = new OuterCapabilities();
  private readonly router: Router;
  private readonly actions: Actions;
  private readonly watch: MachineWatch;
  private readonly forkAhead: ForkAhead;
  private readonly knownSessions: KnownSessions;
  private readonly store: WorkspaceStore;
  private terminal: HostTerminal | undefined;
  private attachWanted: PaneId | undefined;
  private readonly toType = new Map<PaneId, string>();
  private firstList = true;
  private lastList = "";
  private readonly escapeTimer = new OnceTimer(() => this.router.handle(this.parser.flush()));
  private readonly animationTimer = new OnceTimer(() =>
    this.dispatch({ type: "ticked", now: Date.now() }),
  );
  private readonly noticeTimer = new OnceTimer(() => this.dispatch({ type: "notice-cleared" }));
  private readonly chromeTimer = new OnceTimer(() => this.loop.soon());

  constructor(options: AppOptions) {
    this.options = options;
    this.host = options.host;
    this.settings = options.config.settings;
    const { settings } = this;
    this.state = initialState(options.cols, options.rows, Date.now(), options.config);
    this.attention = new Attention({
      silenceMs: settings["attention.silence"] * 1000,
      dispatch: (action) => this.dispatch(action),
      onBell: () => settings["attention.bell"] && this.terminal?.ring(),
    });
    this.requests = new DesktopRequests({
      clipboard: settings["programs.clipboard"],
      notifications: settings["programs.notifications"],
      tasks: this.tasks,
      nameOf: (id) => printable(paneName(this.state, id)),
      isMuted: (id) => this.attention.isMuted(id),
      setClipboard: (text) => this.setClipboard(text),
      notify: (title, body) => this.terminal?.notify(title, body),
      onUnshown: (id) => this.attention.bell(id),
    });
    this.store = new WorkspaceStore({
      file: options.workspaceFile,
      onProblem: (text) => this.tasks.fail(text),
    });
    this.loop = new FrameLoop(() => this.terminal?.requestFrame());
    this.panes = new PaneSet({
      host: options.host,
      outer: this.capabilities,
      scrollback: settings["scrollback.lines"],
      turns: new ParseTurns(() => this.loop.urgent),
      isFirst: (id) => id === this.state.selected,
      attention: this.attention,
      onRequest: (id, request) => this.requests.handle(id, request),
      onStatus: (id, status) => this.paneStatus(id, status),
      onChange: (id) => this.paneChanged(id),
    });
    this.keyboard = new KeyboardAttachment({
      panes: this.panes,
      stdin: options.stdin,
      alsoTo: () => synchronizedPanes(this.state),
      detachKey: detachByte(options.config.settings["keyboard.detach"]),
      onLost: () => this.router.attachmentLost(),
    });
    this.compositor = new Compositor({
      depth: options.depth,
      ascii: options.ascii,
      theme: options.theme,
      onPostponed: (ms) => this.chromeTimer.start(ms),
    });
    this.actions = new Actions(this);
    this.router = new Router(this);
    this.forkAhead = new ForkAhead(options.host);
    this.knownSessions = new KnownSessions(options.host, (machine, sessions) =>
      this.dispatch({ type: "sessions-listed", machine, sessions }),
    );
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
    if (!this.state.listed) this.restoreWorkspace();
    this.watch.start();
    this.redraw();
  }

  /** Stops drawing and polling; sessions stay open. */
  pause(): void {
    this.loop.stop();
    this.watch.stop();
    this.forkAhead.stop();
    this.escapeTimer.stop();
    this.animationTimer.stop();
    this.noticeTimer.stop();
    this.chromeTimer.stop();
  }

  /** Nobody waits for what is under way: it is undone. */
  abandonWork(): void {
    this.actions.abandon();
  }

  /** Detaches from everything; the machines go on. */
  close(): void {
    this.pause();
    this.store.flush();
    this.keyboard.end();
    this.attention.close();
    this.panes.close();
    this.compositor.close();
  }

  paint(): Uint8Array {
    const attached = this.state.attached ? this.selectedPane() : undefined;
    this.terminal?.setAnyMotion(attached?.terminal.modes.mouse === "any");
    const typing = keyMode(this.state) === "attached";
    const kitty = typing && attached !== undefined && this.capabilities.kittyKeyboard;
    this.terminal?.setKeyboard(kitty ? attached.terminal.keyboardFlags : 0);
    return this.compositor.paint(this.state, this.panes.byId);
  }

  input(bytes: Buffer): void {
    this.escapeTimer.stop();
    this.router.handle(this.parser.feed(bytes));
    if (this.parser.pending) this.escapeTimer.start(escapeMs);
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

  run(command: CommandId, argument?: string): void {
    this.actions.run(command, argument);
  }

  /** A command line from outside. @throws {CommandError | TaskError} */
  perform(line: string): Promise<string | undefined> {
    return this.actions.performLine(line);
  }

  pane(id: PaneId): SessionPane | undefined {
    return this.panes.get(id);
  }

  attachWhenLive(id: PaneId): void {
    this.attachWanted = id;
    this.attachIfLive();
  }

  typeWhenLive(id: PaneId, text: string): void {
    this.toType.set(id, text);
    this.typeWhatWaits();
  }

  expectEcho(): void {
    this.loop.expectAnswer();
  }

  setClipboard(text: string): boolean {
    return this.terminal?.setClipboard(text) ?? false;
  }

  report(event: ReportEvent): void {
    this.capabilities.note(event);
  }

  feedAttached(bytes: Buffer): Buffer | undefined {
    this.selectedPane()?.scrollTo(0);
    const rest = this.keyboard.feed(bytes);
    if (rest) this.dispatch({ type: "detached" });
    return rest;
  }

  dispatch(action: Action): void {
    const before = this.state;
    this.state = reduce(before, action);
    if (this.state === before) return;
    if (before.machines !== this.state.machines && action.type !== "listed") this.lastList = "";
    if (before.machines !== this.state.machines || before.tabs !== this.state.tabs) {
      this.panes.sync(this.state);
      this.knownSessions.sync(this.state);
    }
    this.store.note(this.state);
    this.panes.syncSizes(this.state);
    this.attention.sync(this.state);
    this.keyboard.sync(before, this.state);
    this.forkAhead.select(selectedMachine(this.state));
    if (before.notice !== this.state.notice) this.expireNotice();
    if (isAnimated(this.state)) this.animationTimer.start(animationMs);
    this.loop.soon();
  }

  private restoreWorkspace(): void {
    const saved = this.store.load();
    if (saved) this.dispatch({ type: "workspace-saved", saved });
  }

  private listed(machines: MachineInfo[]): void {
    const now = Date.now();
    const reads = listReads(machines, now);
    if (reads === this.lastList && machines.length === this.state.machines.length) return;
    this.lastList = reads;
    this.dispatch({ type: "listed", machines, now });
    if (!this.firstList) return;
    this.firstList = false;
    if (machines.length > 0) return;
    void this.actions.bootFirst(this.options.bootWhenEmpty);
  }

  private paneStatus(id: PaneId, status: PaneStatus): void {
    const wasLost = this.state.panes[id]?.kind === "lost";
    this.dispatch({ type: "pane-changed", id, status });
    if (status.kind === "lost" && !wasLost) {
      this.tasks.fail(`session of ${paneName(this.state, id)}: ${status.message}`);
    }
    this.attachIfLive();
    this.typeWhatWaits();
  }

  private typeWhatWaits(): void {
    for (const [id, text] of this.toType) {
      const pane = this.panes.get(id);
      if (!pane?.live) continue;
      this.toType.delete(id);
      pane.send(Buffer.from(text));
    }
  }

  /** The answer to a key is drawn at once, whatever else is being drawn. */
  private paneChanged(id: PaneId): void {
    if (id === this.state.selected) this.loop.answered();
    else this.loop.soon();
  }

  private attachIfLive(): void {
    const id = this.attachWanted;
    if (id === undefined || this.state.panes[id]?.kind !== "live") return;
    this.attachWanted = undefined;
    if (id === this.state.selected && !this.state.dialog) this.dispatch({ type: "attached" });
  }

  private expireNotice(): void {
    this.noticeTimer.stop();
    if (this.state.notice) this.noticeTimer.start(noticeMs);
  }

  private selectedPane(): SessionPane | undefined {
    return this.state.selected === undefined ? undefined : this.panes.get(this.state.selected);
  }
}

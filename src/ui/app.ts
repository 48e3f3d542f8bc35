import type { Host } from "../runtime/host/host.ts";
import { printable } from "../runtime/printable.ts";
import { Actions } from "./actions/actions.ts";
import type { AppOptions } from "./app-options.ts";
import { Attention } from "./attention/attention.ts";
import { DesktopRequests } from "./attention/desktop-requests.ts";
import type { CommandId } from "./commands.ts";
import { detachByte } from "./config/detach-byte.ts";
import type { Settings } from "./config/settings.ts";
import { CopyController } from "./copy-mode/controller.ts";
import { Display } from "./display.ts";
import { ForkAhead } from "./fork-ahead.ts";
import { HostTasks } from "./host-tasks.ts";
import type { HostTerminal } from "./host-terminal.ts";
import type { ReportEvent } from "./input/events.ts";
import { KeyboardAttachment } from "./keyboard-attachment.ts";
import { keyOf } from "./keymap.ts";
import { KnownSessions } from "./known-sessions.ts";
import { type PaneId, paneTarget } from "./layout/pane-id.ts";
import { MachineNews } from "./machine-news.ts";
import { paneName } from "./names.ts";
import { PaneSet } from "./pane-set.ts";
import { ParseTurns } from "./panes/parse-turns.ts";
import type { SessionPane } from "./panes/session-pane.ts";
import { Router } from "./router.ts";
import { WorkspaceStore } from "./saved/store.ts";
import { selectedMachine, synchronizedPanes } from "./selectors.ts";
import { type Action, initialState, type PaneStatus, reduce, type UiState } from "./state.ts";
import { StateClock } from "./state-clock.ts";
import { OuterCapabilities } from "./terminal/outer-capabilities.ts";
import { TerminalInput } from "./terminal-input.ts";
import { WhenLive } from "./when-live.ts";

/** The running TUI: its state, and everything that acts on it or follows it. */
export class App {
  readonly tasks = new HostTasks((action) => this.dispatch(action));
  readonly host: Host;
  readonly copy = new CopyController(this);
  readonly requests: DesktopRequests;
  readonly settings: Settings;
  state: UiState;
  private readonly options: AppOptions;
  private readonly capabilities = new OuterCapabilities();
  private readonly attention: Attention;
  private readonly display: Display;
  private readonly panes: PaneSet;
  private readonly keyboard: KeyboardAttachment;
  private readonly whenLive = new WhenLive(this);
  private readonly actions: Actions;
  private readonly router: Router;
  private readonly terminalInput: TerminalInput;
  private readonly news: MachineNews;
  private readonly forkAhead: ForkAhead;
  private readonly knownSessions: KnownSessions;
  private readonly store: WorkspaceStore;
  private readonly clock = new StateClock((action) => this.dispatch(action));

  constructor(options: AppOptions) {
    this.options = options;
    this.host = options.host;
    this.settings = options.config.settings;
    const { settings } = this;
    this.state = initialState(options.cols, options.rows, Date.now(), options.config);
    this.attention = new Attention({
      silenceMs: settings["attention.silence"] * 1000,
      dispatch: (action) => this.dispatch(action),
      onBell: () => settings["attention.bell"] && this.display.ring(),
    });
    this.display = new Display({
      depth: options.depth,
      ascii: options.ascii,
      theme: options.theme,
      outer: this.capabilities,
      now: () => ({ state: this.state, panes: this.panes.byId }),
    });
    this.requests = new DesktopRequests({
      clipboard: settings["programs.clipboard"],
      notifications: settings["programs.notifications"],
      tasks: this.tasks,
      allowKey: () => keyOf(this.state.keymap, "allow-clipboard"),
      nameOf: (id) => printable(paneName(this.state, id)),
      isMuted: (id) => this.attention.isMuted(id),
      setClipboard: (text) => this.setClipboard(text),
      notify: (title, body) => this.display.notify(title, body),
      onUnshown: (id) => this.attention.bell(id),
    });
    this.store = new WorkspaceStore({
      file: options.workspaceFile,
      onProblem: (text) => this.tasks.fail(text),
    });
    this.panes = new PaneSet({
      host: options.host,
      outer: this.capabilities,
      scrollback: settings["scrollback.lines"],
      turns: new ParseTurns({
        frameDue: () => this.display.urgent,
        answerDue: () => this.display.awaiting,
      }),
      isFirst: (id) => id === this.state.selected,
      attention: this.attention,
      onRequest: (id, request) => this.requests.handle(id, request),
      onStatus: (id, status) => this.paneStatus(id, status),
      onChange: (id) => this.display.paneChanged(id),
    });
    this.keyboard = new KeyboardAttachment({
      panes: this.panes,
      stdin: options.stdin,
      alsoTo: () => synchronizedPanes(this.state),
      detachKey: detachByte(settings["keyboard.detach"]),
      onLost: () => this.router.attachmentLost(),
    });
    this.actions = new Actions(this);
    this.router = new Router(this);
    this.terminalInput = new TerminalInput((events) => this.router.handle(events));
    this.forkAhead = new ForkAhead(options.host);
    this.knownSessions = new KnownSessions(options.host, (machine, sessions) =>
      this.dispatch({ type: "sessions-listed", machine, sessions }),
    );
    this.news = new MachineNews({
      host: options.host,
      state: () => this.state,
      dispatch: (action) => this.dispatch(action),
      onProblem: (text) => this.tasks.fail(text),
      onFirst: (machines) => {
        if (machines.length === 0) void this.actions.bootFirst(options.bootWhenEmpty);
      },
    });
  }

  /** Begins to draw on a terminal that is ours. */
  start(terminal: HostTerminal): void {
    this.display.start(terminal);
    if (!this.state.listed) this.restoreWorkspace();
    this.news.start();
    this.redraw();
  }

  /** Stops drawing and polling; sessions stay open. */
  pause(): void {
    this.display.stop();
    this.news.stop();
    this.forkAhead.stop();
    this.terminalInput.stop();
    this.clock.stop();
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
    this.display.close();
  }

  paint(): Uint8Array {
    return this.display.paint();
  }

  input(bytes: Buffer): void {
    this.terminalInput.feed(bytes);
  }

  resize(cols: number, rows: number): void {
    this.display.invalidate();
    this.dispatch({ type: "resized", cols, rows });
  }

  redraw(): void {
    this.display.redraw();
  }

  suspend(): void {
    this.options.onSuspend();
  }

  quit(): void {
    this.options.onQuit();
  }

  refresh(): void {
    this.news.refresh();
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
    this.whenLive.attach(id);
  }

  typeWhenLive(id: PaneId, text: string): void {
    this.whenLive.type(id, text);
  }

  expectEcho(): void {
    this.display.expectAnswer();
  }

  setClipboard(text: string): boolean {
    return this.display.setClipboard(text);
  }

  report(event: ReportEvent): void {
    this.capabilities.note(event);
  }

  feedAttached(bytes: Buffer): Buffer | undefined {
    const { selected } = this.state;
    if (selected !== undefined) this.panes.get(selected)?.scrollTo(0);
    const rest = this.keyboard.feed(bytes);
    if (rest) this.dispatch({ type: "detached" });
    return rest;
  }

  dispatch(action: Action): void {
    const before = this.state;
    this.state = reduce(before, action);
    if (this.state === before) return;
    // What follows the state may change it in turn: each looks at it as it is by then.
    this.news.sync(before, this.state, action);
    if (before.machines !== this.state.machines || before.tabs !== this.state.tabs) {
      this.panes.sync(this.state);
      this.knownSessions.sync(this.state);
    }
    this.store.note(this.state);
    this.panes.syncSizes(this.state);
    this.attention.sync(this.state);
    this.keyboard.sync(before, this.state);
    this.forkAhead.select(selectedMachine(this.state));
    this.clock.sync(before, this.state);
    this.display.soon();
  }

  private restoreWorkspace(): void {
    const saved = this.store.load();
    if (saved) this.dispatch({ type: "workspace-saved", saved });
  }

  private paneStatus(id: PaneId, status: PaneStatus): void {
    const wasLost = this.state.panes[id]?.kind === "lost";
    this.dispatch({ type: "pane-changed", id, status });
    const isLost = status.kind === "lost" && !wasLost;
    // Its machine may have gone with it.
    if (isLost || status.kind === "ended") this.refresh();
    if (isLost && !this.isBeingStopped(id)) {
      this.tasks.fail(`session of ${paneName(this.state, id)}: ${status.message}`);
    }
    this.whenLive.check();
  }

  /** Then the end of its sessions is no failure. */
  private isBeingStopped(id: PaneId): boolean {
    const { machine } = paneTarget(id);
    return this.state.tasks.some((task) => task.stops && task.machineId === machine);
  }
}

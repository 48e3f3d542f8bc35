import type { Host, MachineInfo } from "../runtime/host/host.ts";
import { printable } from "../runtime/printable.ts";
import type { CommandId } from "./commands.ts";
import type { HostTasks } from "./host-tasks.ts";
import { MachineMaker } from "./machine-maker.ts";
import { machineName } from "./names.ts";
import type { SessionPane } from "./panes/session-pane.ts";
import { type Action, selectedMachine, type UiState } from "./state.ts";
import { dialogLast } from "./view.ts";

/** What commands may touch of the application. */
export interface ActionContext {
  readonly host: Host;
  readonly tasks: HostTasks;
  readonly state: UiState;
  dispatch(action: Action): void;
  pane(id: string): SessionPane | undefined;
  /** The host's list has changed by our doing. */
  refresh(): void;
  /** Attach as soon as the pane's session is live. */
  attachWhenLive(id: string): void;
  redraw(): void;
  suspend(): void;
  quit(): void;
}

export class Actions {
  private readonly context: ActionContext;
  private readonly maker: MachineMaker;

  /** The whole vocabulary: the compiler sees to it that no word is without a meaning. */
  private readonly table: Record<CommandId, () => void> = {
    "select-next": () => this.context.dispatch({ type: "moved", to: "next" }),
    "select-previous": () => this.context.dispatch({ type: "moved", to: "previous" }),
    "select-first": () => this.context.dispatch({ type: "moved", to: "first" }),
    "select-last": () => this.context.dispatch({ type: "moved", to: "last" }),
    attach: () => this.onSelected((machine) => this.attach(machine)),
    detach: () => this.context.dispatch({ type: "detached" }),
    new: () => void this.boot(),
    fork: () => this.onSelected((machine) => void this.fork(machine)),
    snapshot: () => this.onSelected((machine) => void this.snapshot(machine)),
    restore: () => void this.chooseSnapshot(),
    stop: () => this.onSelected((machine) => this.askStop(machine)),
    zoom: () => this.context.dispatch({ type: "zoom-toggled" }),
    "scroll-up": () => this.onSelected((machine) => this.scroll(machine, 1)),
    "scroll-down": () => this.onSelected((machine) => this.scroll(machine, -1)),
    help: () =>
      this.context.dispatch({ type: "dialog-opened", dialog: { kind: "help", scroll: 0 } }),
    log: () => this.context.dispatch({ type: "dialog-opened", dialog: { kind: "log", scroll: 0 } }),
    suspend: () => this.context.suspend(),
    redraw: () => this.context.redraw(),
    quit: () => this.context.quit(),
    "dialog-down": () => this.moveDialog(1),
    "dialog-up": () => this.moveDialog(-1),
    "dialog-close": () => this.context.dispatch({ type: "dialog-closed" }),
    "dialog-accept": () => this.accept(),
  };

  constructor(context: ActionContext) {
    this.context = context;
    this.maker = new MachineMaker(context.host);
  }

  /** Does what a command says; what it cannot do now becomes a notice. */
  run(command: CommandId): void {
    this.table[command]();
  }

  /** Starts a machine; also used for the machines a first start may ask for. */
  async boot(): Promise<void> {
    const task = { label: "starting a machine", starts: true };
    const added = await this.context.tasks.run(task, () =>
      this.maker.make(() => this.context.host.boot()),
    );
    if (added) this.added(added);
  }

  /** Leaves no machine half-made. */
  abandon(): void {
    this.maker.abandon();
  }

  private onSelected(action: (machine: MachineInfo) => void): void {
    const machine = selectedMachine(this.context.state);
    if (machine) action(machine);
  }

  private moveDialog(by: number): void {
    this.context.dispatch({ type: "dialog-moved", by, last: dialogLast(this.context.state) });
  }

  private attach(machine: MachineInfo): void {
    const pane = this.context.pane(machine.id);
    if (!pane) {
      this.context.tasks.inform(`${machineName(machine)} is still booting`);
      return;
    }
    if (!pane.live) void pane.connect();
    this.context.attachWhenLive(machine.id);
  }

  private async fork(source: MachineInfo): Promise<void> {
    const task = {
      label: `forking ${machineName(source)}`,
      machineId: source.id,
      key: `fork ${source.id}`,
    };
    const copy = await this.context.tasks.run(task, () =>
      this.maker.make(() => this.context.host.fork(source.id)),
    );
    if (!copy) return;
    this.added(copy);
    this.context.tasks.inform(`${machineName(copy)} is a fork of ${machineName(source)}`);
  }

  private async snapshot(machine: MachineInfo): Promise<void> {
    const name = machineName(machine);
    const task = {
      label: `snapshotting ${name}`,
      machineId: machine.id,
      key: `snapshot ${machine.id}`,
    };
    const written = await this.context.tasks.run(task, () =>
      this.context.host.snapshot(machine.id),
    );
    if (written) this.context.tasks.inform(`snapshot of ${name}: ${printable(written.directory)}`);
  }

  private async chooseSnapshot(): Promise<void> {
    const { context } = this;
    context.dispatch({ type: "dialog-opened", dialog: { kind: "picker", index: 0 } });
    const task = { label: "looking for snapshots", key: "snapshots" };
    const snapshots = await context.tasks.run(task, () => context.host.listSnapshots());
    context.dispatch({ type: "snapshots-listed", snapshots: snapshots ?? [] });
  }

  private async restore(directory: string, sourceName: string | undefined): Promise<void> {
    const task = { label: `restoring ${printable(sourceName ?? "a machine")}`, starts: true };
    const restored = await this.context.tasks.run(task, () =>
      this.maker.make(() => this.context.host.restore(directory)),
    );
    if (restored) this.added(restored);
  }

  private askStop(machine: MachineInfo): void {
    const dialog = { kind: "confirm" as const, id: machine.id, name: machineName(machine) };
    this.context.dispatch({ type: "dialog-opened", dialog });
  }

  private async stop(id: string, name: string): Promise<void> {
    const { context } = this;
    const task = { label: `stopping ${name}`, machineId: id, key: `stop ${id}` };
    await context.tasks.run(task, async () => {
      await context.host.stop(id);
      context.dispatch({ type: "machine-gone", id });
      context.tasks.inform(`${name} is stopped`);
    });
    context.refresh();
  }

  private accept(): void {
    const { dialog } = this.context.state;
    this.context.dispatch({ type: "dialog-closed" });
    if (dialog?.kind === "confirm") void this.stop(dialog.id, dialog.name);
    const chosen = dialog?.kind === "picker" ? dialog.snapshots?.[dialog.index] : undefined;
    if (chosen) void this.restore(chosen.directory, chosen.sourceName);
  }

  private scroll(machine: MachineInfo, direction: number): void {
    const pane = this.context.pane(machine.id);
    pane?.scrollBy(direction * Math.max(1, pane.terminal.rows - 2));
  }

  private added(machine: MachineInfo): void {
    this.context.dispatch({ type: "machine-added", machine });
    this.context.refresh();
  }
}

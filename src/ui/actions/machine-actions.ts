import type { HostBootOptions, MachineInfo } from "../../runtime/host/host.ts";
import { printable } from "../../runtime/printable.ts";
import { CommandError } from "../errors.ts";
import { keyOf } from "../keymap.ts";
import { MachineMaker } from "../machine-maker.ts";
import { machineName } from "../names.ts";
import { machinesOf } from "../selectors.ts";
import type { ActionContext, Origin } from "./context.ts";
import { targetCalled, targetOf } from "./target.ts";

/** What commands do to machines: every one of them asks the host. */
export class MachineActions {
  private readonly context: ActionContext;
  private readonly maker: MachineMaker;
  /** What was stopped here, the last one last. */
  private readonly stopped: MachineInfo[] = [];
  /** The last snapshot written here of each machine, whatever its name has become. */
  private readonly written = new Map<string, string>();

  constructor(context: ActionContext) {
    this.context = context;
    this.maker = new MachineMaker(context.host);
  }

  /** What is not said is as the configuration says. `onMade`: before the machine is shown. */
  async boot(options: HostBootOptions = {}, onMade?: () => void): Promise<undefined> {
    const { settings } = this.context;
    const all = {
      ...options,
      image: options.image ?? settings["new-machine.image"],
      memoryMib: options.memoryMib ?? settings["new-machine.memory"],
    };
    const task = { label: `starting ${printable(options.name ?? "a machine")}`, starts: true };
    const added = await this.context.tasks.run(task, () =>
      this.maker.make(() => this.context.host.boot(all)),
    );
    onMade?.();
    if (added) this.added(added);
  }

  /**
   * `[machine] [name]`; a name that is in use could be no fork's, so one word is clear as well. The
   * fork's pane shows the session that the source's pane shows.
   */
  async fork(words: string): Promise<string | undefined> {
    const target = targetOf(this.context.state, words, () => true);
    const { machine: source, session, rest: name } = target;
    const task = {
      label: `forking ${machineName(source)}`,
      machineId: source.id,
      key: `fork ${source.id}`,
    };
    const copy = await this.context.tasks.run(task, () =>
      this.maker.make(() => this.context.host.fork(source.id, name ? { name } : {})),
    );
    if (!copy) return undefined;
    this.added(copy, session);
    return `${machineName(copy)} is a fork of ${machineName(source)}`;
  }

  /** Forks of one moment. */
  async forkMany(source: MachineInfo, session: string, count: number): Promise<MachineInfo[]> {
    const task = {
      label: `forking ${machineName(source)} ${count} times`,
      machineId: source.id,
      key: `fork ${source.id}`,
    };
    const forks = await this.context.tasks.run(task, () =>
      this.maker.makeAll(() => this.context.host.forkMany(source.id, count)),
    );
    for (const fork of forks ?? []) this.added(fork, session);
    return forks ?? [];
  }

  async snapshot(called: string): Promise<string | undefined> {
    const { machine } = targetCalled(this.context.state, called);
    const name = machineName(machine);
    const task = {
      label: `snapshotting ${name}`,
      machineId: machine.id,
      key: `snapshot ${machine.id}`,
    };
    const written = await this.context.tasks.run(task, () =>
      this.context.host.snapshot(machine.id),
    );
    if (!written) return undefined;
    this.written.set(machine.id, written.directory);
    return `snapshot of ${name}: ${printable(written.directory)}`;
  }

  async chooseSnapshot(): Promise<undefined> {
    const { context } = this;
    context.dispatch({ type: "dialog-opened", dialog: { kind: "picker", index: 0 } });
    const task = { label: "looking for snapshots", key: "snapshots" };
    const snapshots = await context.tasks.run(task, () => context.host.listSnapshots());
    context.dispatch({ type: "snapshots-listed", snapshots: snapshots ?? [] });
  }

  async restore(directory: string, sourceName?: string, name?: string): Promise<undefined> {
    const task = { label: `restoring ${printable(sourceName ?? "a machine")}`, starts: true };
    const restored = await this.context.tasks.run(task, () =>
      this.maker.make(() => this.context.host.restore(directory, name ? { name } : {})),
    );
    if (restored) this.added(restored);
  }

  /** The selected machine, or the one named. Nobody outside can answer a question: it is done. */
  async askStop(called: string, origin: Origin): Promise<string | undefined> {
    const { machine } = targetCalled(this.context.state, called);
    const name = machineName(machine);
    if (origin === "outside") return this.stop(machine.id, name);
    const dialog = { kind: "confirm" as const, id: machine.id, name };
    this.context.dispatch({ type: "dialog-opened", dialog });
    return undefined;
  }

  /** With `keep` a snapshot of it is written first. */
  async stop(id: string, name: string, keep = false): Promise<string> {
    const { context } = this;
    const machine = machinesOf(context.state).find((candidate) => candidate.id === id);
    const task = { label: `stopping ${name}`, machineId: id, key: `stop ${id}`, stops: true };
    try {
      await context.tasks.run(task, async () => {
        if (keep) {
          const { directory } = await context.host.snapshot(id, { stop: true });
          this.written.set(id, directory);
        } else await context.host.stop(id);
        if (machine) this.stopped.push(machine);
        context.dispatch({ type: "machine-gone", id });
      });
    } finally {
      context.refresh();
    }
    const undo = keyOf(context.state.keymap, "undo");
    if (keep) return `${name} is stopped; ${undo} brings it back`;
    const last = this.written.has(id)
      ? `; ${undo} brings it back as it was in its last snapshot`
      : "";
    return `${name} is stopped${last}`;
  }

  /** From its newest snapshot, else from what it was itself restored from. */
  async undoStop(): Promise<string | undefined> {
    const machine = this.stopped.at(-1);
    if (!machine) throw new CommandError("COMMAND_NOT_POSSIBLE", "no machine was stopped here");
    const name = machineName(machine);
    const snapshots = await this.context.host.listSnapshots();
    const newest = snapshots
      .filter(({ directory, sourceName, takenAt }) => {
        const ofIts = sourceName === name && takenAt >= machine.startedAt;
        return ofIts || directory === this.written.get(machine.id);
      })
      .sort((a, b) => b.takenAt - a.takenAt)[0];
    const directory = newest?.directory ?? machine.forkedFrom;
    if (directory === undefined) {
      const message = `${name} was stopped without a snapshot; s in the question before writes one`;
      throw new CommandError("COMMAND_NOT_POSSIBLE", message);
    }
    await this.restore(directory, name, machine.name);
    this.stopped.splice(this.stopped.indexOf(machine), 1);
    return `${name} is back as it was in ${printable(directory)}`;
  }

  /** `[machine] <name>` */
  async rename(words: string): Promise<undefined> {
    const { machine, rest: name } = targetOf(this.context.state, words, (rest) => rest !== "");
    const task = { label: `renaming ${machineName(machine)}`, machineId: machine.id };
    await this.context.tasks.run(task, () => this.context.host.rename(machine.id, name));
    this.context.refresh();
  }

  async stopAll(machines: readonly { id: string; name: string }[], keep = false): Promise<string> {
    await Promise.all(machines.map(({ id, name }) => this.stop(id, name, keep)));
    const undo = keyOf(this.context.state.keymap, "undo");
    const back = keep ? `; ${undo} brings them back, the last one first` : "";
    return `stopped: ${machines.map(({ name }) => name).join(", ")}${back}`;
  }

  /** Leaves no machine half-made. */
  abandon(): void {
    this.maker.abandon();
  }

  private added(machine: MachineInfo, session?: string): void {
    this.context.dispatch({ type: "machine-added", machine, session });
    this.context.refresh();
  }
}

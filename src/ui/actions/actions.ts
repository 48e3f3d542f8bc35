import { type CommandId, commands } from "../commands.ts";
import { CommandError, describeError } from "../errors.ts";
import { canRun } from "../keymap.ts";
import { present } from "../selectors.ts";
import { dialogLast } from "../view.ts";
import { compareActions, openDifference } from "./compare-actions.ts";
import type { ActionContext, Handler } from "./context.ts";
import { MachineActions } from "./machine-actions.ts";
import { paneActions } from "./pane-actions.ts";

/** Carries out the vocabulary. */
export class Actions {
  private readonly context: ActionContext;
  readonly machines: MachineActions;
  /** The compiler sees to it that no word is without a meaning. */
  private readonly table: Record<CommandId, Handler>;

  constructor(context: ActionContext) {
    this.context = context;
    this.machines = new MachineActions(context);
    const { machines } = this;
    this.table = {
      ...paneActions(context),
      ...compareActions(context, (source, count) => machines.forkMany(source, count)),
      new: (name) => machines.boot(name || undefined),
      fork: (name) => machines.fork(name || undefined),
      snapshot: () => machines.snapshot(),
      restore: (directory) => (directory ? machines.restore(directory) : machines.chooseSnapshot()),
      stop: () => machines.askStop(),
      help: () => context.dispatch({ type: "dialog-opened", dialog: { kind: "help", scroll: 0 } }),
      log: () => context.dispatch({ type: "dialog-opened", dialog: { kind: "log", scroll: 0 } }),
      suspend: () => context.suspend(),
      redraw: () => context.redraw(),
      quit: () => context.quit(),
      "dialog-down": () => this.moveDialog(1),
      "dialog-up": () => this.moveDialog(-1),
      "dialog-close": () => context.dispatch({ type: "dialog-closed" }),
      "dialog-accept": () => this.accept(),
    };
  }

  /** Does what a command says; what comes of it, also a failure, becomes a notice. */
  run(command: CommandId, argument = ""): void {
    const { tasks } = this.context;
    this.perform(command, argument).then(
      (text) => text !== undefined && tasks.inform(text),
      (error) => tasks.fail(describeError(error)),
    );
  }

  /**
   * Does what a command says, beginning at once.
   * @throws {CommandError | TaskError} what cannot be done, or failed
   */
  async perform(command: CommandId, argument = ""): Promise<string | undefined> {
    const spec = commands[command];
    if (argument === "" && spec.argument?.startsWith("<")) {
      throw new CommandError("COMMAND_ARGUMENT_INVALID", `usage: ${command} ${spec.argument}`);
    }
    if (!canRun(spec, present(this.context.state))) {
      const message = `${command} needs ${needText[spec.needs!]}`;
      throw new CommandError("COMMAND_NOT_POSSIBLE", message);
    }
    const result = await this.table[command](argument);
    return typeof result === "string" ? result : undefined;
  }

  /** Leaves no machine half-made. */
  abandon(): void {
    this.machines.abandon();
  }

  private moveDialog(by: number): void {
    this.context.dispatch({ type: "dialog-moved", by, last: dialogLast(this.context.state) });
  }

  private accept(): Promise<string | undefined> | undefined {
    const { dialog } = this.context.state;
    if (dialog?.kind === "differences") return openDifference(this.context, dialog);
    this.context.dispatch({ type: "dialog-closed" });
    if (dialog?.kind === "confirm") return this.machines.stop(dialog.id, dialog.name);
    if (dialog?.kind === "confirm-keep") return this.machines.stopAll(dialog.drop);
    const chosen = dialog?.kind === "picker" ? dialog.snapshots?.[dialog.index] : undefined;
    return chosen && this.machines.restore(chosen.directory, chosen.sourceName);
  }
}

const needText = {
  machine: "a selected machine",
  running: "a selected machine that runs",
  pane: "a selected pane",
  panes: "more than one pane in the tab",
  tabs: "more than one tab",
} as const;

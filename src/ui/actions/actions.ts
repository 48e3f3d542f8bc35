import { type CommandId, commands, isCommand, needsArgument } from "../commands.ts";
import { CommandError, describeError, withNextStep } from "../errors.ts";
import { canRun } from "../keymap.ts";
import { machineLines } from "../list-lines.ts";
import { readCommandLine } from "../palette/commands.ts";
import { present } from "../selectors.ts";
import { attentionActions } from "./attention-actions.ts";
import { compareActions } from "./compare-actions.ts";
import type { ActionContext, Handler, Origin } from "./context.ts";
import { copyActions } from "./copy-actions.ts";
import { dialogActions, usualArgument } from "./dialog-actions.ts";
import { MachineActions } from "./machine-actions.ts";
import { paneActions } from "./pane-actions.ts";
import { tagNamed } from "./tag.ts";
import { machineNamedIn } from "./target.ts";

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
      ...copyActions(context),
      ...attentionActions(context),
      ...dialogActions(context, machines, (command, argument) => this.run(command, argument)),
      ...compareActions(context, {
        forkMany: (source, session, count) => machines.forkMany(source, session, count),
        stopAll: (dropped) => machines.stopAll(dropped),
      }),
      new: (name) => machines.boot(name ? { name } : {}),
      undo: () => machines.undoStop(),
      rename: (words) => machines.rename(words),
      tag: (words) => tagNamed(context, words),
      ls: async () => machineLines(context.state),
      fork: (words) => machines.fork(words),
      snapshot: (name) => machines.snapshot(name),
      restore: (directory) => (directory ? machines.restore(directory) : machines.chooseSnapshot()),
      stop: (name, origin) => machines.askStop(name, origin),
      suspend: () => context.suspend(),
      redraw: () => context.redraw(),
      quit: () => context.quit(),
    };
  }

  /** Does what a command says; what comes of it, also a failure, becomes a notice. */
  run(command: CommandId, argument = ""): void {
    const { tasks } = this.context;
    const spec = commands[command];
    if (argument === "" && needsArgument(spec)) {
      this.context.dispatch({
        type: "dialog-opened",
        dialog: { kind: "prompt", command, text: usualArgument(this.context.state, command) },
      });
      return;
    }
    this.perform(command, argument, "screen").then(
      (text) => text !== undefined && tasks.inform(text.replaceAll("\n", "; ")),
      (error) => tasks.fail(withNextStep(error)),
    );
  }

  /**
   * Does what a command says, beginning at once.
   * @throws {CommandError | TaskError} what cannot be done, or failed
   */
  async perform(command: CommandId, argument: string, origin: Origin): Promise<string | undefined> {
    const spec = commands[command];
    // Whoever names a machine must not find that the command was about another one.
    if (argument !== "" && !spec.argument) {
      throw new CommandError("COMMAND_ARGUMENT_INVALID", `${command} takes no argument`);
    }
    if (argument === "" && needsArgument(spec)) {
      throw new CommandError("COMMAND_ARGUMENT_INVALID", `usage: ${command} ${spec.argument}`);
    }
    const { state } = this.context;
    const named = spec.argument?.startsWith("[machine]") && machineNamedIn(state, argument);
    if (!canRun(spec, present(state, named || undefined))) {
      const message = `${command} needs ${needText[spec.needs!]}`;
      throw new CommandError("COMMAND_NOT_POSSIBLE", message);
    }
    const result = await this.table[command](argument, origin);
    return typeof result === "string" ? result : undefined;
  }

  /** A command line from outside. @throws {CommandError | TaskError} */
  async performLine(line: string): Promise<string | undefined> {
    const { command, argument } = readCommandLine(line);
    if (isCommand(command) && !commands[command].internal) {
      return this.perform(command, argument, "outside");
    }
    throw new CommandError("COMMAND_UNKNOWN", `there is no command "${command}"`);
  }

  /** One after the other: the first boot of an image prepares what the next ones start from. */
  async bootFirst(count: number): Promise<void> {
    try {
      for (let index = 0; index < count; index++) await this.machines.boot();
    } catch (error) {
      this.context.tasks.fail(describeError(error));
    }
    this.context.dispatch({ type: "moved", to: "first" });
  }

  /** Leaves no machine half-made. */
  abandon(): void {
    this.machines.abandon();
  }
}

const needText = {
  machine: "a selected machine",
  running: "a machine that runs",
  pane: "a selected pane",
  panes: "more than one pane in the tab",
  pages: "more panes than the screen has room for",
  tabs: "more than one tab",
} as const;

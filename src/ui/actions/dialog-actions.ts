import type { HostBootOptions } from "../../runtime/host/host.ts";
import { type CommandId, isCommand } from "../commands.ts";
import { dialogLast } from "../dialogs/dialog-views.ts";
import { newMachineFields, newMachineOptions } from "../dialogs/new-machine.ts";
import {
  dialogText,
  isTextDialog,
  type TextDialog,
  withoutLast,
  withoutLastWord,
} from "../dialogs/text-dialogs.ts";
import { describeError, TaskError, withNextStep } from "../errors.ts";
import { machineName } from "../names.ts";
import { paletteEntries, readCommandLine } from "../palette/commands.ts";
import { matchingItems } from "../palette/machines.ts";
import { currentTab, selectedMachine } from "../selectors.ts";
import type { UiState } from "../state.ts";
import { openDifference } from "./compare-actions.ts";
import type { ActionContext, Handler } from "./context.ts";
import type { MachineActions } from "./machine-actions.ts";
import { tagSelected } from "./tag.ts";

/** What opens dialogs, and what is done in them. */
export function dialogActions(
  context: ActionContext,
  machines: MachineActions,
  run: (command: CommandId, argument: string) => void,
) {
  const open = (dialog: NonNullable<UiState["dialog"]>): void =>
    context.dispatch({ type: "dialog-opened", dialog });
  const move = (by: number): void =>
    context.dispatch({ type: "dialog-moved", by, last: dialogLast(context.state) });
  const edit = (change: (text: string) => string): void => {
    const { dialog } = context.state;
    if (!dialog || !isTextDialog(dialog)) return;
    context.dispatch({ type: "dialog-edited", text: change(dialogText(dialog)) });
  };
  return {
    help: () => open({ kind: "help", scroll: 0 }),
    log: () => open({ kind: "log", scroll: 0 }),
    palette: () => open({ kind: "palette", text: "", index: 0 }),
    find: () => open({ kind: "finder", text: "", index: 0 }),
    "new-machine": () => {
      const draft = context.state.draft ?? { fields: newMachineFields(context.settings) };
      open({ kind: "form", ...draft, index: 0 });
    },
    "dialog-down": () => move(1),
    "dialog-up": () => move(-1),
    "dialog-close": () => context.dispatch({ type: "dialog-closed" }),
    "dialog-erase": () => edit(withoutLast),
    "dialog-erase-word": () => edit(withoutLastWord),
    "dialog-clear": () => edit(() => ""),
    "dialog-complete": () => {
      const { dialog } = context.state;
      if (dialog?.kind !== "palette") return;
      const entry = paletteEntries(dialog.text)[dialog.index];
      if (entry) edit(() => `${entry.command} `);
    },
    "dialog-keep": () => {
      const { dialog } = context.state;
      if (dialog?.kind !== "confirm" && dialog?.kind !== "confirm-keep") return undefined;
      context.dispatch({ type: "dialog-closed" });
      return dialog.kind === "confirm"
        ? machines.stop(dialog.id, dialog.name, true)
        : machines.stopAll(dialog.drop, true);
    },
    "dialog-accept": () => {
      const { dialog } = context.state;
      if (dialog && isTextDialog(dialog)) return acceptText(context, machines, run, dialog);
      if (dialog?.kind === "differences") return openDifference(context, dialog);
      context.dispatch({ type: "dialog-closed" });
      if (dialog?.kind === "confirm") return machines.stop(dialog.id, dialog.name);
      if (dialog?.kind === "confirm-keep") return machines.stopAll(dialog.drop);
      const chosen = dialog?.kind === "picker" ? dialog.snapshots?.[dialog.index] : undefined;
      return chosen && machines.restore(chosen.directory, chosen.sourceName);
    },
  } satisfies Partial<Record<CommandId, Handler>>;
}

/** What a command's argument is now, to begin with. */
export function usualArgument(state: UiState, command: CommandId): string {
  const machine = selectedMachine(state);
  if (command === "rename" && machine) return machineName(machine);
  if (command === "tag" && machine) return (state.tags[machine.id] ?? []).join(" ");
  return command === "rename-tab" ? currentTab(state).name : "";
}

function acceptText(
  context: ActionContext,
  machines: MachineActions,
  run: (command: CommandId, argument: string) => void,
  dialog: TextDialog,
): unknown {
  if (dialog.kind === "form") return dialog.starting ? undefined : start(context, machines, dialog);
  if (dialog.kind === "finder") {
    const item = matchingItems(context.state, dialog.text)[dialog.index];
    context.dispatch({ type: "dialog-closed" });
    return item && context.dispatch({ type: "selected", id: item.pane });
  }
  if (dialog.kind === "prompt") {
    if (dialog.text.trim() === "" && dialog.command !== "tag") return undefined;
    context.dispatch({ type: "dialog-closed" });
    if (dialog.command === "tag") return tagSelected(context, dialog.text);
    return run(dialog.command, dialog.text.trim());
  }
  const line = readCommandLine(dialog.text);
  const chosen = paletteEntries(dialog.text)[dialog.index]?.command;
  if (chosen === undefined) return undefined;
  context.dispatch({ type: "dialog-closed" });
  const spelledOut = isCommand(line.command) && line.command === chosen;
  return run(chosen, spelledOut ? line.argument : "");
}

/** The form stays while its machine is made: what fails is mended there. */
async function start(
  context: ActionContext,
  machines: MachineActions,
  { fields }: TextDialog & { kind: "form" },
): Promise<void> {
  let options: HostBootOptions;
  try {
    options = newMachineOptions(fields);
  } catch (error) {
    context.dispatch({ type: "form-refused", error: describeError(error) });
    return;
  }
  context.dispatch({ type: "form-sent" });
  try {
    await machines.boot(options, () => context.dispatch({ type: "form-done", fields }));
  } catch (error) {
    const cause = error instanceof TaskError ? error.cause : error;
    context.dispatch({ type: "form-failed", fields, error: withNextStep(cause, "\n") });
    throw error;
  }
}

import { nextAlert } from "../attention/alert.ts";
import { machineName } from "../names.ts";
import { selectedMachine } from "../selectors.ts";
import type { ActionContext, Handler } from "./context.ts";

/** What answers the panes that want something. */
export function attentionActions(context: ActionContext) {
  return {
    "next-alert": () => {
      const id = nextAlert(context.state.alerts);
      if (id === undefined) return "nothing needs attention";
      context.dispatch({ type: "selected", id });
      return undefined;
    },
    mute: () => {
      const machine = selectedMachine(context.state);
      if (!machine) return undefined;
      context.dispatch({ type: "mute-toggled", machine: machine.id });
      const muted = context.state.muted.includes(machine.id);
      return `${machineName(machine)} is ${muted ? "muted" : "heard again"}`;
    },
    "allow-clipboard": () => context.requests.allowClipboard(),
  } satisfies Record<string, Handler>;
}

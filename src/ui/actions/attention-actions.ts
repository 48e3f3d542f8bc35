import { nextAlert } from "../attention/alert.ts";
import { machineName } from "../names.ts";
import type { ActionContext, Handler } from "./context.ts";
import { targetCalled } from "./target.ts";

/** What answers the panes that want something. */
export function attentionActions(context: ActionContext) {
  return {
    "next-alert": () => {
      const id = nextAlert(context.state.alerts);
      if (id === undefined) return "nothing needs attention";
      context.dispatch({ type: "selected", id });
      return undefined;
    },
    mute: (name) => {
      const { machine } = targetCalled(context.state, name);
      context.dispatch({ type: "mute-toggled", machine: machine.id });
      const muted = context.state.muted.includes(machine.id);
      return `${machineName(machine)} is ${muted ? "muted" : "heard again"}`;
    },
    "allow-clipboard": () => context.requests.allowClipboard(),
  } satisfies Record<string, Handler>;
}
